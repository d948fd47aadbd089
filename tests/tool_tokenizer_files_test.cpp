// Which of the files of a Hugging Face folder is read as its tokenizer.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/text/base64.h"
#include "core/text/tokenizer.h"
#include "tests/temp_folder.h"
#include "tools/convert/tokenizer_source.h"

namespace {
using namespace loam;
namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

struct Folder : tests::TempFolder {
  Tokenizer open(const std::string& pre = {}) const { return Tokenizer(read_tokenizer_file(path.string(), pre).spec); }
  Code error(const std::string& pre = {}) const {
    try {
      open(pre);
    } catch (const Error& e) {
      return e.code;
    }
    return Code{};
  }
};

std::string piece(const std::string& text, char type) {
  const std::string body =
      "\x0a" + std::string(1, char(text.size())) + text + "\x15" + std::string(4, '\0') + "\x18" + type;
  return "\x0a" + std::string(1, char(body.size())) + body;
}

std::string ranks() {
  std::string out;
  for (int i = 0; i < 256; ++i) out += encode_base64(std::string(1, char(i))) + " " + std::to_string(i) + "\n";
  return out + encode_base64("hi") + " 256\n";
}

TEST_CASE("tokenizer files: the first of the list is read") {
  const Folder folder;
  CHECK(folder.error() == Code::bad_file);
  folder.write("vocab.json", R"({"h": 0, "i": 1, "hi": 2, "<|endoftext|>": 3})");
  folder.write("merges.txt", "#version: 0.2\nh i\n");
  CHECK(folder.error() == Code::unsupported);  // nothing says how to split
  CHECK(folder.open("gpt-2").encode("hihi<|endoftext|>") == Ids{2, 2, 3});
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>"})");
  CHECK(folder.open().spec().eos == 3);
  folder.write("tokenizer_config.json", "{}");
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nh\n##i\nhi\n");
  CHECK(folder.open().encode("Hi h hhi [SEP]") == Ids{2, 6, 4, 1, 3, 3});
  CHECK(folder.error("gpt-2") == Code::bad_argument);
  folder.write("own.tiktoken", ranks());
  CHECK(folder.error() == Code::unsupported);
  CHECK(folder.open("gpt-2").encode("hih") == Ids{256, 'h'});
  folder.write("tokenizer.model", ranks());  // as Llama 3 has it
  CHECK(folder.open("qwen2").encode("hih") == Ids{256, 'h'});
  folder.write("tokenizer.model", piece("<unk>", 2) + piece("h", 1) + piece("\xe2\x96\x81", 1) + "\x12\x02\x18\x02");
  CHECK(folder.open().encode("hx") == Ids{2, 1, 0});
  CHECK(folder.error("gpt-2") == Code::bad_argument);
  folder.write("tokenizer.json", R"({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})");
  CHECK(folder.open().encode("whatever") == Ids{0});
  CHECK(Tokenizer(read_tokenizer_file((folder.path / "own.tiktoken").string(), "gpt-2").spec).encode("hi") == Ids{256});
  CHECK(Tokenizer(read_tokenizer_file((folder.path / "tokenizer.model").string()).spec).encode("h") == Ids{2, 1});
}

TEST_CASE("tokenizer files: the folder's own chat template") {
  const Folder folder;
  folder.write("tokenizer.json", R"({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})");
  folder.write("tokenizer_config.json", R"({"chat_template": "config"})");
  CHECK(read_tokenizer_file(folder.path.string()).chat_template == "config");
  folder.write("chat_template.jinja", "file");
  CHECK(read_tokenizer_file(folder.path.string()).chat_template == "file");
}

}  // namespace
