// Loaders of tokenizer.model, ranks of tiktoken, tekken.json and tokenizer.json: what they read, what they refuse, and
// hostile files. The oracle test compares with sentencepiece, tiktoken and tokenizers.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "core/error.h"
#include "core/text/base64.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_sentencepiece.h"
#include "core/text/tokenizer_tiktoken.h"

namespace {
using namespace loam;
using json = nlohmann::json;
using Ids = std::vector<int32_t>;

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += char(value | 128);
  return out + char(value);
}
std::string field(uint32_t number, uint64_t value) { return varint(number << 3) + varint(value); }
std::string field(uint32_t number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string field(uint32_t number, float value) {
  std::string out = varint(number << 3 | 5);
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  for (int i = 0; i < 4; ++i) out += char(bits >> (8 * i));
  return out;
}
std::string piece(const std::string& text, float score, int type) {
  return field(1, field(1, text) + field(2, score) + field(3, uint64_t(type)));
}

std::string model_file(int type, const std::string& trainer = {}, const std::string& normalizer = {}) {
  std::string out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("<sep>", 0, 4);
  for (int b = 0; b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", unsigned(b));
    out += piece(text, 0, 6);
  }
  float score = -1;
  for (const char* text : {"\u2581a", "ab", "\u2581ab", "\u2581", "a", "b"}) out += piece(text, score--, 1);
  return out + field(2, field(3, uint64_t(type)) + field(35, uint64_t(1)) + trainer) + field(3, normalizer);
}

Ids encode_file(const std::string& file, const std::string& text, const std::string& config = {}) {
  return Tokenizer(tokenizer_from_sentencepiece(file, config).spec).encode(text);
}

TEST_CASE("tokenizer.model: pieces, spaces, bytes, user-defined and control pieces") {
  for (const int type : {1, 2}) {
    CAPTURE(type);
    const std::string file = model_file(type);
    const Tokenizer t(tokenizer_from_sentencepiece(file).spec);
    const auto id = [&](const char* text) { return t.find(text); };
    CHECK(t.spec().bos == 1);
    CHECK(t.encode("ab") == Ids{1, id("\u2581ab")});
    CHECK(t.encode("  a   b  ") == Ids{1, id("\u2581a"), id("\u2581"), id("b")});
    CHECK(t.encode("a\xc3\xa9") == Ids{1, id("\u2581a"), id("<0xC3>"), id("<0xA9>")});
    CHECK(t.encode("a<sep>b") == Ids{1, id("\u2581a"), 3, id("b")});
    CHECK(t.encode("<sep>") == Ids{1, id("\u2581"), 3});
    CHECK(t.encode("</s>") == Ids{1, 2});
    CHECK(t.encode("</s>", {.add_special = false, .parse_special = false}).size() == 5);
    CHECK(t.encode("", {.add_special = false}).empty());
    CHECK(t.decode(t.encode("a <sep> \xff\xc3 b", {.add_special = false})) == "a <sep> \xff\xc3 b");
    CHECK(encode_file(file, "ab", R"({"add_bos_token": false})") == Ids{id("\u2581ab")});
    CHECK(encode_file(file, "ab", R"({"add_eos_token": true})") == Ids{1, id("\u2581ab"), 2});
    CHECK(encode_file(file, "ab</s>a") == Ids{1, id("\u2581ab"), 2, id("\u2581a")});
    CHECK(encode_file(file, "ab</s>a", R"({"legacy": false})") == Ids{1, id("\u2581ab"), 2, id("a")});
    const std::string added = R"({"added_tokens_decoder": {"266": {"content": "<new>", "special": true}}})";
    CHECK(encode_file(file, "ab<new>", added) == Ids{1, id("\u2581ab"), 266});
  }
  const std::string raw = field(3, uint64_t(0)) + field(4, uint64_t(0));
  CHECK(encode_file(model_file(2, {}, raw), "a  b").size() == 5);
}

std::string error_of(const std::string& file, const std::string& config = {}) {
  try {
    Tokenizer(tokenizer_from_sentencepiece(file, config).spec);
    return "no error";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST_CASE("tokenizer.model: what is not supported is named") {
  CHECK(error_of(model_file(1)) == "no error");
  CHECK(error_of(model_file(3)).find("model type 3") != std::string::npos);
  CHECK(error_of(model_file(1, field(24, uint64_t(1)))).find("treat_whitespace_as_suffix") != std::string::npos);
  CHECK(error_of(model_file(1) + field(5, field(2, std::string("x")))).find("denormalizer") != std::string::npos);
  CHECK(error_of(model_file(2) + piece("x", 0, 5)).find("unused") != std::string::npos);
  CHECK(error_of(model_file(1) + piece("", 0, 1)) != "no error");
  CHECK(error_of(model_file(1) + piece("x", 0, 9)) != "no error");
  CHECK(error_of(model_file(1) + piece("<u2>", 0, 2)) != "no error");
  CHECK(error_of("") != "no error");
  CHECK(error_of("\x0a") != "no error");
  CHECK(error_of(model_file(1), R"({"tokenizer_class": "XLMRobertaTokenizer"})").find("XLMRoberta") !=
        std::string::npos);
  CHECK(error_of(model_file(1), R"({"added_tokens_decoder": {"x": {}}})") != "no error");
  CHECK(error_of(model_file(1), R"({"added_tokens_decoder": {"99999999": {"content": "x"}}})") != "no error");
}

std::string ranks_file(int count = 300) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const std::string bytes = i < 256 ? std::string(1, char(i)) : std::string(2, char(i));
    out += encode_base64(bytes) + " " + std::to_string(i) + "\n";
  }
  return out;
}

TEST_CASE("tiktoken: ranks") {
  const std::string file = ranks_file();
  CHECK(looks_like_tiktoken(file));
  CHECK_FALSE(looks_like_tiktoken(model_file(1)));
  CHECK_FALSE(looks_like_tiktoken(""));
  try {
    tokenizer_from_tiktoken(file);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("300 ranks") != std::string::npos);
    CHECK(std::string(e.what()).find("--pre") != std::string::npos);
  }
  const std::string config = R"({"added_tokens_decoder": {"300": {"content": "<|end|>", "special": true}}})";
  const Tokenizer t(tokenizer_from_tiktoken(file, config, {}, "llama-bpe").spec);
  CHECK(t.encode("a!!!", {.add_special = false}) == Ids{'a', 256 + '!', '!'});
  CHECK(t.encode("<|end|>", {.add_special = false}) == Ids{300});
  CHECK_THROWS_AS(tokenizer_from_tiktoken(file, {}, {}, "no-such-pre"), Error);
  CHECK_THROWS_AS(tokenizer_from_tiktoken(ranks_file(255), {}, {}, "llama-bpe"), Error);  // a byte is missing
  CHECK_THROWS_AS(tokenizer_from_tiktoken(file + file, {}, {}, "llama-bpe"), Error);
  for (const char* line :
       {"QQ==", "QQ== x", "Q 1", "QQ== -1", "QQ== 99999999999999999999", "QQ== 16777216", "= 400", "QQ==  1"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(tokenizer_from_tiktoken(file + line + "\n", {}, {}, "llama-bpe"), Error);
  }
}

std::string tekken_file() {
  json vocab = json::array();
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = i < 256 ? std::string(1, char(i)) : std::string(2, char(i - 256));
    vocab.push_back({{"rank", i}, {"token_bytes", encode_base64(bytes)}, {"token_str", nullptr}});
  }
  const json config = {{"pattern", "[a-z]+|."}, {"default_vocab_size", 320}, {"default_num_special_tokens", 30}};
  return json{{"config", config}, {"vocab", vocab}}.dump();
}

// Damaged files end in an error or in a tokenizer that works.
template <class Load>
void damage(const std::string& file, int rounds, Load load) {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string bad = file;
    if (rng() % 3 == 0) bad.resize(rng() % bad.size());
    for (size_t i = rng() % 3; i > 0 && !bad.empty(); --i) bad[rng() % bad.size()] ^= char(1u << rng() % 8);
    try {
      const Tokenizer t(load(bad));
      t.decode(t.encode("a ab <sep> 12 \xff\xc3\xa9 !!!"));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > rounds / 20);
}

TEST_CASE("loaders: hostile files are refused or harmless") {
  const std::string map = std::string("\x08\0\0\0\xff\xff\xff\xff\1\2\3\4", 12) + "xyz";
  for (const int type : {1, 2}) {
    damage(model_file(type), 1500, [](const std::string& f) { return tokenizer_from_sentencepiece(f).spec; });
    damage(model_file(type, {}, field(2, map)), 500,
           [](const std::string& f) { return tokenizer_from_sentencepiece(f).spec; });
  }
  damage(ranks_file(), 800, [](const std::string& f) { return tokenizer_from_tiktoken(f, {}, {}, "gpt-2").spec; });
  damage(tekken_file(), 300, [](const std::string& f) { return tokenizer_from_tekken(f).spec; });
  const char* unigram = R"({"added_tokens": [{"id": 4, "content": "<e>", "special": true}], "normalizer": null,
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", -9], ["a", -1.5], ["ab", -2], ["!", -3.25]]}})";
  damage(unigram, 2000, [](const std::string& f) { return tokenizer_from_json(f).spec; });
}

TEST_CASE("tokenizer.json: lists of tokens and merges that are no such lists") {
  const auto error = [](const std::string& model) {
    try {
      Tokenizer(tokenizer_from_json(R"({"added_tokens": [], "model": )" + model + "}").spec);
      return std::string("no error");
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  CHECK(error(R"({"type": "Unigram", "unk_id": null, "vocab": [["a", 1], ["b", -2e0]]})") == "no error");
  CHECK(error(R"({"merges": [["a", "b"]], "vocab": {"a": 0, "b": 1, "ab": 2}})") == "no error");
  CHECK(error(R"({"type": "WordLevel", "vocab": {"a": 0}})") == "no error");
  for (const char* model :
       {R"({"type": "Unigram", "vocab": [["a"]]})", R"({"type": "Unigram", "vocab": [["a", 1, 2]]})",
        R"({"type": "Unigram", "vocab": [[1, "a"]]})", R"({"type": "Unigram", "vocab": ["a"]})",
        R"({"type": "Unigram", "vocab": [["a", "b"]]})", R"({"type": "Unigram", "vocab": [["a", [1]]]})",
        R"({"type": "Unigram", "vocab": [["a", 1]], "unk_id": 7})", R"({"type": "Unigram", "vocab": []})",
        R"({"type": "Unigram", "vocab": {"a": 0}})", R"({"type": "BPE", "vocab": {"a": "0"}})",
        R"({"type": "BPE", "vocab": {"a": 0.5}})", R"({"type": "BPE", "vocab": {"a": [0]}})",
        R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a", "a a"]})",
        R"({"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]})",
        R"({"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a", "a"]]})",
        R"({"type": "BPE", "vocab": {"a": 0}, "merges": [{"a": "a"}]})",
        R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a  a"]})",
        R"({"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": -1})"}) {
    CAPTURE(model);
    CHECK(error(model) != "no error");
  }
}

TEST_CASE("models: long texts of one kind take linear time") {
  const std::string file = tekken_file();
  std::vector<Tokenizer> all;
  all.emplace_back(tokenizer_from_tekken(file).spec);
  for (const int type : {1, 2}) all.emplace_back(tokenizer_from_sentencepiece(model_file(type)).spec);
  std::mt19937 rng(1);
  std::string noise(1 << 20, ' ');
  for (char& c : noise) c = char(rng());
  for (const std::string& text : {std::string(1 << 20, 'a'), std::string(1 << 20, ' '), noise}) {
    for (const Tokenizer& t : all) {
      const auto start = std::chrono::steady_clock::now();
      t.encode(text);
      CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 20);  // usually 0.1
    }
  }
}

}  // namespace
