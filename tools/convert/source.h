// What can be converted: a GGUF file, a folder of safetensors with config.json, or such a file. One interface, so that
// conversion and comparison know nothing of formats.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/model_config.h"
#include "core/text/tokenizer_spec.h"
#include "core/types/type.h"

namespace loam {

struct SourceTensor {
  std::string name;              // canonical
  std::string source_name;       // as the source calls it
  std::string_view source_type;  // the source's name of its type
  int64_t n = 1, k = 0;
  bool vector = false;
  const TypeInfo* exact = nullptr;  // holds a matrix without loss; null: none does
  bool quantized = false;           // exact is a quantized type
};

class Source {
 public:
  virtual ~Source() = default;

  ModelConfig config;
  std::vector<SourceTensor> tensors;  // sorted by name
  std::optional<TokenizerSpec> tokenizer;
  std::string chat_template;                    // empty: none
  std::map<std::string, std::string> verbatim;  // texts to keep as they are
  std::string kind;                             // "gguf" or "hugging_face"

  struct File {
    std::string name;  // without folders
    std::span<const std::byte> bytes;
  };
  virtual std::vector<File> files() const = 0;

  // Rows first .. first + count as f32; any thread. Vectors are one row.
  virtual void read_rows(size_t tensor, int64_t first, int64_t count, float* out) const = 0;
  // A row block as a record of tensor.exact; any thread. Fails where a value or scale is not finite.
  virtual void read_record(size_t tensor, int64_t block, std::byte* record) const = 0;
};

// `pre`: the pre-tokenizer of a GGUF vocabulary, instead of the one that the file names, or of bare ranks.
std::unique_ptr<Source> open_source(const std::string& path, const std::string& pre = {});
std::unique_ptr<Source> open_gguf_source(const std::string& path, const std::string& pre = {});
// A folder or a .safetensors file.
std::unique_ptr<Source> open_hugging_face_source(const std::string& path, const std::string& pre = {});

enum class FileKind : uint8_t { loam, gguf, safetensors, folder };
// By the first bytes; fails where it is none of them.
FileKind kind_of_file(const std::string& path);
// Fails where a pre-tokenizer is chosen for a .loam file.
void refuse_pre(const std::string& path, FileKind kind, const std::string& pre);

}  // namespace loam
