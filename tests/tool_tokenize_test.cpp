// loam tokenize: every way to name a vocabulary, every form of the answer, and large inputs.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "tests/error_text.h"
#include "tests/gguf_vocabularies.h"
#include "tests/golden_gguf.h"
#include "tests/temp_folder.h"
#include "tools/convert/open_tokenizer.h"
#include "tools/tokenize/tokenize.h"

using namespace loam;
using tests::mentions;
using tests::what_of;
using Folder = loam::tests::TempFolder;
namespace fs = std::filesystem;

namespace {

// What print(out) writes.
template <class Print>
std::string printed(Print print) {
  char* data = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&data, &size);
  REQUIRE(out);
  const auto finish = [&] {
    std::fclose(out);
    const std::string text(data, size);
    std::free(data);
    return text;
  };
  try {
    print(out);
  } catch (...) {
    finish();
    throw;
  }
  return finish();
}

std::string tokens(const Tokenizer& t, std::string_view text, TokenForm form, const EncodeOptions& options = {}) {
  return printed([&](std::FILE* out) { print_tokens(t, text, form, options, out); });
}

std::string decoded(const Tokenizer& t, std::string_view list, bool special = false) {
  return printed([&](std::FILE* out) { print_decoded(t, list, special, out); });
}

// A GGUF file that has a vocabulary and nothing else.
std::string write_vocabulary(const Folder& folder, const char* name, const std::string& pre) {
  const Metadata m = tests::gpt2_vocabulary(pre, {{"h", "i"}, {"1", "2"}}, {{"<s>", 3}});
  golden::GgufWriter w;
  for (const auto& [key, value] : m.values()) {
    if (const auto* text = std::get_if<std::string>(&value)) w.kv(key, *text);
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) w.kv(key, *texts);
    if (const auto* number = std::get_if<int64_t>(&value)) w.kv(key, uint32_t(*number));
    if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value))
      w.kv(key, std::vector<int32_t>(numbers->begin(), numbers->end()));
  }
  w.kv("tokenizer.ggml.add_bos_token", true);
  w.kv("tokenizer.chat_template", "{{ messages }}");
  w.write(folder / name);
  return folder / name;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec) + double(used.ru_utime.tv_usec) * 1e-6;
}

}  // namespace

TEST_CASE("tokenize: forms of the answer") {
  const Folder folder;
  const LoadedTokenizer loaded = open_tokenizer(write_vocabulary(folder, "v.gguf", "gpt-2"));
  CHECK(loaded.chat_template == "{{ messages }}");
  const Tokenizer t(loaded.spec);
  CHECK(tokens(t, "hi", TokenForm::ids) == "258 256\n");
  CHECK(tokens(t, "hi", TokenForm::table) == "   258 \"<|end|>\"\n   256 \"hi\"\n");
  CHECK(tokens(t, "hi", TokenForm::pieces, {.add_special = false}) == "\"hi\"\n");
  CHECK(tokens(t, "hihi", TokenForm::count) == "3\n");
  CHECK(tokens(t, "", TokenForm::ids, {.add_special = false}) == "\n");
  CHECK(tokens(t, "", TokenForm::count, {.add_special = false}) == "0\n");
  CHECK(tokens(t, "<s>", TokenForm::count, {false, true}) == "1\n");
  CHECK(tokens(t, "<s>", TokenForm::count, {false, false}) == "3\n");
  CHECK(tokens(t, "\n", TokenForm::pieces, {false, false}) == "\"\\n\"\n");
  CHECK(tokens(t, "\"", TokenForm::pieces, {false, false}) == "\"\\\"\"\n");
  CHECK(tokens(t, std::string_view("\0", 1), TokenForm::pieces, {false, false}) == "\"\\x00\"\n");
  CHECK(tokens(t, "\xff", TokenForm::pieces, {false, false}) == "\"\\xff\"\n");
}

TEST_CASE("tokenize: numbers back to a text") {
  const Folder folder;
  const Tokenizer t(open_tokenizer(write_vocabulary(folder, "v.gguf", "gpt-2")).spec);
  CHECK(decoded(t, "258 256") == "hi");
  CHECK(decoded(t, "258 256", true) == "<|end|>hi");
  CHECK(decoded(t, "[256, 256,\n256]\r\n") == "hihihi");
  CHECK(decoded(t, "") == "");
  for (const char* wrong : {"260", "-1", "x", "1 2 99999999999", "1.5", "0x10"}) {
    CAPTURE(wrong);
    CHECK(mentions(what_of([&] { decoded(t, wrong); }, Code::bad_argument), "expected numbers from 0 to 259"));
  }
  std::mt19937 rng(3);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (int i = 0; i < 50; ++i) bytes += char(rng());
    CHECK(decoded(t, tokens(t, bytes, TokenForm::ids)) == bytes);
  }
}

TEST_CASE("tokenize: names of vocabularies") {
  const Folder folder;
  const fs::path tiny = golden::data_dir() / "tiny_vocab";
  const Tokenizer from_folder(open_tokenizer(tiny.string()).spec);
  const Tokenizer from_file(open_tokenizer((tiny / "tokenizer.json").string()).spec);
  CHECK(from_folder.encode("hello there") == from_file.encode("hello there"));
  CHECK(open_tokenizer(tiny.string() + "/").chat_template == open_tokenizer(tiny.string()).chat_template);
  const std::string unnamed = write_vocabulary(folder, "unnamed.gguf", "");
  CHECK(mentions(what_of([&] { open_tokenizer(unnamed); }, Code::unsupported), "--pre NAME"));
  CHECK(Tokenizer(open_tokenizer(unnamed, "gpt-2").spec).encode("12").size() == 2);
  CHECK(Tokenizer(open_tokenizer(unnamed, "smollm").spec).encode("12").size() == 3);
  CHECK(mentions(what_of([&] { open_tokenizer(tiny.string(), "gpt-2"); }, Code::bad_argument), "--pre"));
  CHECK(mentions(what_of([&] { open_tokenizer(folder.path.string()); }, Code::bad_file), "tokenizer.json"));
  CHECK(mentions(what_of([&] { open_tokenizer(folder / "nowhere.gguf"); }, Code::io), "nowhere.gguf"));
  CHECK(mentions(what_of([&] { open_tokenizer(folder / "nowhere.json"); }, Code::io), "nowhere.json"));
  golden::write_text(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhi\n");
  CHECK(Tokenizer(open_tokenizer(folder / "vocab.txt").spec).encode("hi") == std::vector<int32_t>{2, 4, 3});
  CHECK(Tokenizer(open_tokenizer(folder.path.string()).spec).size() == 5);
  golden::GgufWriter empty;
  empty.kv("general.architecture", "llama");
  empty.write(folder / "empty.gguf");
  CHECK(mentions(what_of([&] { open_tokenizer(folder / "empty.gguf"); }, Code::bad_file), "no tokenizer"));
}

TEST_CASE("tokenize: 10 MiB of one letter, spaces, random bytes") {
  const Folder folder;
  const Tokenizer t(open_tokenizer(write_vocabulary(folder, "v.gguf", "llama-bpe")).spec);
  constexpr size_t kBytes = 10 << 20;
  std::mt19937 rng(4);
  std::string random;
  while (random.size() < kBytes) random += char(rng());
  for (const std::string& text : {std::string(kBytes, 'h'), std::string(kBytes, ' '), random}) {
    const double start = cpu_seconds();
    const std::string ids = tokens(t, text, TokenForm::ids);
    MESSAGE("seconds: ", cpu_seconds() - start);
    CHECK(cpu_seconds() - start < 20);  // a guard against quadratic time, also in slow builds
    CHECK(decoded(t, ids) == text);
  }
}
