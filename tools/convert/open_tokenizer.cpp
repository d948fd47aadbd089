#include "tools/convert/open_tokenizer.h"

#include <filesystem>

#include "core/error.h"
#include "core/text/tokenizer_gguf.h"
#include "formats/container/reader.h"
#include "tools/convert/tokenizer_source.h"

namespace loam {
namespace {

namespace fs = std::filesystem;

LoadedTokenizer from_loam(const std::string& path) {
  const LoamFile file(path, {.verify = false});
  if (!file.tokenizer())
    fail(Code::bad_file, "%s: has no tokenizer: convert it again from a source that has one", path.c_str());
  return {*file.tokenizer(), std::string(file.chat_template())};
}

LoadedTokenizer from_gguf(const std::string& path, const std::string& pre) {
  const GgufFile file(path);
  if (!file.metadata().has("tokenizer.ggml.model")) fail(Code::bad_file, "%s: has no tokenizer", path.c_str());
  return tokenizer_from_gguf(file.metadata(), pre);
}

// Also tokenizer.model.v3 and its like.
bool named_as_tokenizer(const std::string& name) {
  for (const char* end : {".json", ".model", ".tiktoken", ".txt"}) {
    if (name.ends_with(end)) return true;
  }
  return name.find(".model.") != name.npos;
}

}  // namespace

LoadedTokenizer open_tokenizer(const std::string& path, const std::string& pre) {
  std::error_code error;
  const bool text = named_as_tokenizer(fs::path(path).filename().string()) && fs::is_regular_file(path, error);
  const FileKind kind = text ? FileKind::folder : kind_of_file(path);
  if (kind == FileKind::gguf) return from_gguf(path, pre);
  refuse_pre(path, kind, pre);
  if (kind == FileKind::loam) return from_loam(path);
  return read_tokenizer_file(kind == FileKind::safetensors ? fs::path(path).parent_path().string() : path, pre);
}

}  // namespace loam
