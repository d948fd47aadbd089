#include "tools/convert/tokenizer_source.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "core/text/tokenizer_lists.h"
#include "core/text/tokenizer_sentencepiece.h"
#include "core/text/tokenizer_tiktoken.h"
#include "tools/cli/files.h"

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

// One file of a vocabulary and what lies beside it.
struct Files {
  std::string text, folder, config, generation, pre;
};

[[noreturn]] void refuse_pre_for(const Files& f, const char* name) {
  fail(Code::bad_argument, "%s: --pre names how to split text where a file does not say it; %s does", f.folder.c_str(),
       name);
}

LoadedTokenizer from_json(const Files& f) {
  if (!f.pre.empty()) refuse_pre_for(f, "tokenizer.json");
  return tokenizer_from_json(f.text, f.config, f.generation);
}
LoadedTokenizer from_model(const Files& f) {
  if (looks_like_tiktoken(f.text)) return tokenizer_from_tiktoken(f.text, f.config, f.generation, f.pre);
  if (!f.pre.empty()) refuse_pre_for(f, "tokenizer.model");
  return tokenizer_from_sentencepiece(f.text, f.config, f.generation);
}
LoadedTokenizer from_tekken(const Files& f) {
  if (!f.pre.empty()) refuse_pre_for(f, "tekken.json");
  return tokenizer_from_tekken(f.text, f.config, f.generation);
}
LoadedTokenizer from_vocab_txt(const Files& f) {
  if (!f.pre.empty()) refuse_pre_for(f, "vocab.txt");
  return tokenizer_from_vocab_txt(f.text, f.config, f.generation);
}
LoadedTokenizer from_vocab_json(const Files& f) {
  return tokenizer_from_vocab_json(f.text, text_if_there(f.folder, "merges.txt"), f.config, f.generation, f.pre);
}

// The first of these that a folder has is read. A name that begins with a dot is the end of any name.
struct Row {
  const char* name;
  LoadedTokenizer (*load)(const Files& files);
};
constexpr Row kJson{"tokenizer.json", from_json}, kModel{"tokenizer.model", from_model},
    kTekken{"tekken.json", from_tekken};
constexpr Row kRows[] = {
    kJson,
    kModel,
    {"spiece.model", from_model},
    {"tiktoken.model", from_model},
    {".tiktoken", from_model},
    kTekken,
    {"vocab.txt", from_vocab_txt},
    {"vocab.json", from_vocab_json},
    {".model", from_model},
};

bool is_row(const Row& row, const std::string& name) {
  return row.name[0] == '.' ? name.ends_with(row.name) : name == row.name;
}

// Which file of the folder a row means; empty: none. Of several the first by name.
std::string find_file(const std::string& folder, const Row& row) {
  std::string found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (is_row(row, name) && entry.is_regular_file(error) && (found.empty() || name < found)) found = name;
  }
  return found;
}

// `text`: where the file's text goes, if it is wanted.
LoadedTokenizer load(const Row& row, const std::string& folder, const std::string& name, const std::string& pre,
                     std::string* text = nullptr) {
  Files files{read_text_file((fs::path(folder) / name).string()), folder,
              text_if_there(folder, "tokenizer_config.json"), text_if_there(folder, "generation_config.json"), pre};
  LoadedTokenizer loaded = row.load(files);
  if (text) *text = std::move(files.text);
  std::string own_file = text_if_there(folder, "chat_template.jinja");
  if (!own_file.empty()) loaded.chat_template = std::move(own_file);
  return loaded;
}

const Row* find_row(const std::string& folder, std::string& name) {
  for (const Row& row : kRows) {
    name = find_file(folder, row);
    if (!name.empty()) return &row;
  }
  return nullptr;
}

}  // namespace

void read_tokenizer(const GgufFile& file, Source& source, const std::string& pre) {
  if (!file.metadata().has("tokenizer.ggml.model")) return;
  take(tokenizer_from_gguf(file.metadata(), pre), source);
}

void read_tokenizer(const std::string& folder, Source& source, const std::string& pre) {
  std::string name;
  const Row* row = find_row(folder, name);
  if (!row) {
    source.chat_template = text_if_there(folder, "chat_template.jinja");
    return;
  }
  take(load(*row, folder, name, pre, name == kJson.name ? &source.verbatim[name] : nullptr), source);
}

LoadedTokenizer read_tokenizer_file(const std::string& path, const std::string& pre) {
  std::error_code error;
  std::string folder = path, name;
  if (fs::is_directory(path, error)) {
    const Row* row = find_row(folder, name);
    if (row) return load(*row, folder, name, pre);
    fail(Code::bad_file, "%s: has no tokenizer.json, tokenizer.model, *.tiktoken, tekken.json, vocab.txt or vocab.json",
         path.c_str());
  }
  name = fs::path(path).filename().string(), folder = fs::path(path).parent_path().string();
  for (const Row& row : kRows) {
    if (is_row(row, name)) return load(row, folder, name, pre);
  }
  if (name.ends_with(".json")) return load(name.starts_with("tekken") ? kTekken : kJson, folder, name, pre);
  return load(kModel, folder, name, pre);
}

}  // namespace loam
