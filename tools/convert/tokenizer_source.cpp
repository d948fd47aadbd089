#include "tools/convert/tokenizer_source.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"

namespace loam {
namespace fs = std::filesystem;

namespace {

// The file's text; empty where it is not there.
std::string text_if_there(const std::string& folder, const char* name) {
  const fs::path path = fs::path(folder) / name;
  std::error_code error;
  return fs::exists(path, error) ? read_text_file(path.string()) : std::string();
}

void take(LoadedTokenizer&& loaded, Source& source) {
  source.tokenizer = std::move(loaded.spec);
  source.chat_template = std::move(loaded.chat_template);
}

// tokenizer.json with the files that lie beside it.
LoadedTokenizer from_json(const std::string& tokenizer, const std::string& folder) {
  LoadedTokenizer loaded = tokenizer_from_json(tokenizer, text_if_there(folder, "tokenizer_config.json"),
                                               text_if_there(folder, "generation_config.json"));
  std::string own_file = text_if_there(folder, "chat_template.jinja");
  if (!own_file.empty()) loaded.chat_template = std::move(own_file);
  return loaded;
}

void refuse_model_file(const std::string& folder) {
  if (!fs::exists(fs::path(folder) / "tokenizer.model")) return;
  fail(Code::unsupported, "%s: has tokenizer.model alone; make tokenizer.json from it (AutoTokenizer.save_pretrained)",
       folder.c_str());
}

}  // namespace

void read_tokenizer(const GgufFile& file, Source& source, const std::string& pre) {
  if (!file.metadata().has("tokenizer.ggml.model")) return;
  take(tokenizer_from_gguf(file.metadata(), pre), source);
}

void read_tokenizer(const std::string& folder, Source& source) {
  const std::string tokenizer = text_if_there(folder, "tokenizer.json");
  if (!tokenizer.empty()) {
    take(from_json(tokenizer, folder), source);
    source.verbatim["tokenizer.json"] = tokenizer;
  } else {
    refuse_model_file(folder);
    source.chat_template = text_if_there(folder, "chat_template.jinja");
  }
}

LoadedTokenizer read_tokenizer_file(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const fs::path file = folder ? fs::path(path) / "tokenizer.json" : fs::path(path);
  if (folder && !fs::exists(file, error)) {
    refuse_model_file(path);
    fail(Code::bad_file, "%s: has no tokenizer.json", path.c_str());
  }
  return from_json(read_text_file(file.string()), file.parent_path().string());
}

std::string read_text_file(const std::string& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error) fail(Code::io, "%s: cannot read it: %s", path.c_str(), error.message().c_str());
  if (size > 256u << 20) fail(Code::bad_file, "%s: %llu bytes are too many", path.c_str(), (unsigned long long)size);
  std::ifstream in(path, std::ios::binary);
  std::string text(size, '\0');
  if (!in.read(text.data(), std::streamsize(size))) fail(Code::io, "%s: cannot read it", path.c_str());
  return text;
}

}  // namespace loam
