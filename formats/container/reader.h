// A .loam file as a model source: mapped, checked, used in place.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/model_source.h"
#include "formats/container/validate.h"
#include "formats/mapped_file.h"
#include "formats/progress.h"

namespace loam {

struct LoamFileOptions {
  bool verify = true;  // false skips the hashes of the data, nothing else
  Progress progress = {};
};

class LoamFile : public ModelSource {
 public:
  explicit LoamFile(const std::string& path, const LoamFileOptions& options = {});

  const Metadata& metadata() const override { return view_.metadata; }
  std::span<const StoredTensor> tensors() const override { return view_.tensors; }
  const TokenizerSpec* tokenizer() const override { return tokenizer_ ? &*tokenizer_ : nullptr; }
  std::string_view chat_template() const override { return verbatim("chat_template"); }

  const std::string& path() const { return file_->path(); }
  uint64_t file_bytes() const { return file_->bytes().size(); }
  const ContainerView& view() const { return view_; }
  const Provenance& provenance() const { return view_.provenance; }
  std::string_view verbatim(std::string_view name) const;  // empty: not there

 private:
  std::shared_ptr<const MappedFile> file_;
  ContainerView view_;
  std::optional<TokenizerSpec> tokenizer_;
};

// What `loam verify` shows. Structural errors throw as in LoamFile; wrong data ends up in `problems`.
struct VerifyReport {
  uint64_t file_bytes = 0, data_bytes = 0, footer_bytes = 0;
  size_t chunks = 0, tensors = 0;
  std::vector<std::string> problems;  // one line each: which chunk or tensor, which bytes
  bool ok() const { return problems.empty(); }
};
VerifyReport verify_file(const std::string& path, const Progress& progress = {});

}  // namespace loam
