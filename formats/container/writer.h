// Writes a .loam: offsets are planned first, then tensors stream in as they are made, then seal() hashes the data,
// writes the footer and gives the file its name. Until then it is NAME.part and says that it is unfinished.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metadata.h"
#include "core/text/tokenizer_spec.h"
#include "core/types/type.h"
#include "formats/container/provenance.h"
#include "formats/progress.h"

namespace loam {

struct TensorPlan {
  std::string name;
  const TypeInfo* type = nullptr;
  int64_t experts = 1, n = 1, k = 0;  // a matrix [n, k] per expert, or with `vector` an f32 array of k
  bool vector = false;
};

class LoamWriter {
 public:
  // Creates PATH.part and reserves its space. Tensors lie in the file in the order of the plan.
  // Fails with bad_argument (names, shapes) or io (folder missing, no permission, disk full, another writer at work).
  LoamWriter(const std::string& path, std::vector<TensorPlan> plan);
  LoamWriter(const LoamWriter&) = delete;
  LoamWriter& operator=(const LoamWriter&) = delete;
  ~LoamWriter();  // removes PATH.part unless sealed

  // Bytes at `offset` of a tensor. Any order, any thread; every byte of every tensor once.
  void write(std::string_view tensor, uint64_t offset, std::span<const std::byte> bytes);

  void set_metadata(Metadata metadata) { metadata_ = std::move(metadata); }
  void set_provenance(Provenance provenance) { provenance_ = std::move(provenance); }
  void set_tokenizer(const TokenizerSpec& spec);  // copies its arrays
  // A text kept as it is: "tokenizer.json", "chat_template", "config.json".
  void set_verbatim(std::string_view name, std::string_view text);

  uint64_t data_bytes() const { return data_end_; }  // of preamble and tensors
  uint64_t tensor_bytes(std::string_view tensor) const;
  // Checks that all tensors are complete, hashes, writes the footer, renames PATH.part to PATH.
  void seal(const Progress& progress = {});

 private:
  struct Planned {
    TensorPlan plan;
    uint64_t offset, size;
    std::atomic<uint64_t> written{0};
    Planned(TensorPlan p, uint64_t at, uint64_t bytes) : plan(std::move(p)), offset(at), size(bytes) {}
  };
  using Tensors = std::map<std::string, std::unique_ptr<Planned>, std::less<>>;

  void plan_offsets(std::vector<TensorPlan> plan);
  void create_part();
  void reserve_space();
  void write_at(uint64_t at, std::span<const std::byte> bytes);
  Planned& planned(std::string_view tensor) const;
  void check_complete() const;
  std::string make_footer(const Progress& progress);

  std::string path_, part_;
  int fd_ = -1;
  bool sealed_ = false;
  uint64_t data_end_ = 0;
  Tensors tensors_;                              // sorted by name, as the index is
  std::map<std::string, std::string> sections_;  // sorted by name
  Metadata metadata_;
  Provenance provenance_;
};

}  // namespace loam
