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

}  // namespace

void read_tokenizer(const GgufFile& file, Source& source) {
  if (!file.metadata().has("tokenizer.ggml.model")) return;
  take(tokenizer_from_gguf(file.metadata()), source);
}

void read_tokenizer(const std::string& folder, Source& source) {
  const std::string tokenizer = text_if_there(folder, "tokenizer.json");
  const std::string config = text_if_there(folder, "tokenizer_config.json");
  if (!tokenizer.empty()) {
    take(tokenizer_from_json(tokenizer, config, text_if_there(folder, "generation_config.json")), source);
    source.verbatim["tokenizer.json"] = tokenizer;
  } else if (fs::exists(fs::path(folder) / "tokenizer.model")) {
    fail(Code::unsupported,
         "%s: has tokenizer.model alone; make tokenizer.json from it (AutoTokenizer.save_pretrained)", folder.c_str());
  }
  const std::string own_file = text_if_there(folder, "chat_template.jinja");
  if (!own_file.empty()) source.chat_template = own_file;
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
