// Tokenizers on small vocabularies made here; the oracle test compares many texts and real vocabularies.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/error.h"
#include "core/text/grammar/token_trie.h"
#include "core/text/regex.h"
#include "core/text/scanners.h"
#include "core/text/steps.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode.h"

namespace {
using namespace loam;
using Ids = std::vector<int32_t>;

std::string mapped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, byte_to_char()[uint8_t(c)]);
  return out;
}

// Byte-level vocabulary: the 256 bytes, then the results of `merges`, then two control tokens and one added one.
Metadata byte_level_gguf(const std::string& pre, const std::vector<std::pair<std::string, std::string>>& merges) {
  std::vector<std::string> tokens, rules;
  for (int b = 0; b < 256; ++b) tokens.push_back(mapped(std::string(1, char(b))));
  for (const auto& [a, b] : merges) {
    tokens.push_back(mapped(a + b));
    rules.push_back(mapped(a) + " " + mapped(b));
  }
  std::vector<int64_t> types(tokens.size(), 1);
  for (const char* special : {"<|end|>", "<|im_end|>"}) tokens.push_back(special), types.push_back(3);
  tokens.push_back("<tool>"), types.push_back(4);
  Metadata m;
  const auto count = int64_t(tokens.size());
  m.set("tokenizer.ggml.model", std::string("gpt2"));
  m.set("tokenizer.ggml.pre", pre);
  m.set("tokenizer.ggml.tokens", std::move(tokens));
  m.set("tokenizer.ggml.token_type", std::move(types));
  m.set("tokenizer.ggml.merges", std::move(rules));
  m.set("tokenizer.ggml.bos_token_id", count - 3);
  m.set("tokenizer.ggml.eos_token_id", count - 3);
  return m;
}

const std::vector<std::pair<std::string, std::string>> kMerges = {
    {"l", "l"}, {"h", "e"}, {"he", "ll"}, {"hell", "o"}, {" ", "w"}, {"1", "2"}, {" ", " "}, {"a", "a"}, {"aa", "aa"}};

Tokenizer byte_level(const std::string& pre = "smollm") {
  return Tokenizer(tokenizer_from_gguf(byte_level_gguf(pre, kMerges)).spec);
}

// SentencePiece vocabulary with scores.
Metadata scored_gguf(bool space_prefix) {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
  std::vector<int64_t> types{2, 3, 3};
  std::vector<double> scores{0, 0, 0};
  const char* hex = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) {
    tokens.push_back(std::string("<0x") + hex[b >> 4] + hex[b & 15] + ">");
    types.push_back(6), scores.push_back(0);
  }
  const std::pair<const char*, double> pieces[] = {{"\u2581", -10}, {"a", -11},      {"b", -12},
                                                   {"c", -13},      {"ab", -1},      {"bc", -2},
                                                   {"abc", -3},     {"\u2581a", -4}, {"aa", -5}};
  for (const auto& [text, score] : pieces) tokens.push_back(text), types.push_back(1), scores.push_back(score);
  tokens.push_back("<tag>"), types.push_back(4), scores.push_back(-1000);
  Metadata m;
  m.set("tokenizer.ggml.model", std::string("llama"));
  m.set("tokenizer.ggml.tokens", std::move(tokens));
  m.set("tokenizer.ggml.token_type", std::move(types));
  m.set("tokenizer.ggml.scores", std::move(scores));
  m.set("tokenizer.ggml.bos_token_id", int64_t(1));
  m.set("tokenizer.ggml.eos_token_id", int64_t(2));
  m.set("tokenizer.ggml.unknown_token_id", int64_t(0));
  m.set("tokenizer.ggml.add_space_prefix", space_prefix);
  return m;
}

std::string random_bytes(std::mt19937& rng, size_t most) {
  std::string out;
  for (size_t i = rng() % (most + 1); i > 0; --i) {
    switch (rng() % 5) {
      case 0: out += char(rng()); break;
      case 1: append_utf8(out, rng() % 0xd800); break;
      case 2: append_utf8(out, 0x10000 + rng() % 0x20000); break;
      case 3: out += " \n\t\r'sStlLvV12aAh"[rng() % 17]; break;
      default: out += "hello world aaaa  <tool>"[rng() % 24];
    }
  }
  return out;
}

TEST_CASE("tokenizer: byte-level BPE") {
  const Tokenizer t = byte_level();
  const auto id = [&](const char* text) { return t.find(mapped(text)); };
  CHECK(t.encode("hello") == Ids{id("hello")});
  CHECK(t.encode("hello world") == Ids{id("hello"), id(" w"), id("o"), id("r"), id("l"), id("d")});
  CHECK(t.encode("12") == Ids{id("1"), id("2")});  // digits stand alone
  CHECK(byte_level("gpt-2").encode("12") == Ids{id("12")});
  CHECK(t.encode("aaaaa") == Ids{id("aaaa"), id("a")});
  CHECK(t.encode("").empty());
  CHECK(t.encode("a<tool>a") == Ids{id("a"), t.find("<tool>"), id("a")});
  CHECK(t.encode("<|end|>").size() == 1);
  CHECK(t.encode("<|end|>", {.parse_special = false}).size() == 7);
  CHECK(t.is_end(t.find("<|end|>")));
  CHECK(t.is_end(t.find("<|im_end|>")));
  CHECK_FALSE(t.is_end(t.find("<tool>")));
  CHECK(t.is_special(t.find("<|end|>")));
  CHECK_FALSE(t.is_special(t.find("<tool>")));
  CHECK(t.decode(Ids{id("hello"), t.find("<|end|>"), id("a")}) == "hello<|end|>a");
  CHECK(t.decode(Ids{id("hello"), t.find("<|end|>"), id("a")}, true) == "helloa");
  CHECK_THROWS_AS(t.decode(Ids{-1}), Error);
  CHECK_THROWS_AS(t.piece(int32_t(t.size())), Error);
  CHECK(t.find("not there") == -1);
}

TEST_CASE("tokenizer: decode(encode(bytes)) == bytes, and pieces join to the same") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  const Tokenizer tokenizers[] = {byte_level("smollm"), byte_level("gpt-2"), byte_level("llama-bpe"),
                                  Tokenizer(tokenizer_from_gguf(scored_gguf(false)).spec)};
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random_bytes(rng, 40);
    if (text.find(kMetaspace) != std::string::npos) continue;  // SentencePiece cannot tell it from a space
    for (const Tokenizer& t : tokenizers) {
      const Ids ids = t.encode(text, {.add_special = false, .parse_special = rng() % 2 == 0});
      CHECK(t.decode(ids) == text);
      std::string pieces;
      for (const int32_t id : ids) pieces += t.piece(id);
      CHECK(pieces == text);
    }
  }
}

TEST_CASE("tokenizer: scores, bytes and the space prefix") {
  const Tokenizer plain(tokenizer_from_gguf(scored_gguf(false)).spec);
  const auto id = [&](const char* text) { return plain.find(text); };
  CHECK(plain.encode("abc") == Ids{1, id("abc")});  // ab merges first, then abc
  CHECK(plain.encode(" abc", {.add_special = false}) == Ids{id("\u2581"), id("abc")});
  CHECK(plain.encode("aaa", {.add_special = false}) == Ids{id("aa"), id("a")});
  CHECK(plain.encode("\xc3\xa9", {.add_special = false}) == Ids{id("<0xC3>"), id("<0xA9>")});
  CHECK(plain.encode("a<tag>", {.add_special = false}) == Ids{id("a"), id("<tag>")});
  CHECK(plain.decode(Ids{id("\u2581a"), id("<0xC3>"), id("<0xA9>")}) == " a\xc3\xa9");
  const Tokenizer prefixed(tokenizer_from_gguf(scored_gguf(true)).spec);
  CHECK(prefixed.encode("a") == Ids{1, id("\u2581a")});
  CHECK(prefixed.decode(Ids{id("\u2581a"), id("\u2581a")}) == "a a");
  CHECK(prefixed.piece(id("\u2581a")) == " a");
  CHECK(prefixed.spec().add_space_prefix);
  CHECK(prefixed.spec().add_bos);
}

// tokenizer.json of a few characters, with `steps` put over the defaults.
std::string small_json(const std::string& steps) {
  nlohmann::json root = nlohmann::json::parse(R"({"added_tokens": [{"id": 5, "content": "<e>", "special": true}],
    "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, " ": 3, "<u>": 4}, "merges": ["a b"], "unk_token": "<u>"}})");
  root.merge_patch(nlohmann::json::parse(steps));
  return root.dump();
}

std::string json_error(const std::string& steps) {
  try {
    Tokenizer(tokenizer_from_json(small_json(steps)).spec);
    return "no error";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST_CASE("tokenizer.json: steps, special tokens, templates") {
  const std::string config =
      R"({"eos_token": {"content": "<e>"}, "chat_template": [{"name": "default", "template": "T"}]})";
  const LoadedTokenizer loaded = tokenizer_from_json(small_json("{}"), config, R"({"eos_token_id": [5, 2]})");
  CHECK(loaded.chat_template == "T");
  CHECK(loaded.spec.eos == 5);
  CHECK(loaded.spec.ends == Ids{5, 2});
  CHECK(loaded.spec.unk == 4);
  const Tokenizer t(loaded.spec);
  CHECK(t.encode("abxa<e>") == Ids{2, 4, 0, 5});
  const char* post = R"({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<e>"}},
    {"Sequence": {"id": "A"}}], "special_tokens": {"<e>": {"id": "<e>", "ids": [5]}}}})";
  const Tokenizer with_bos(tokenizer_from_json(small_json(post)).spec);
  CHECK(with_bos.encode("ab") == Ids{5, 2});
  CHECK(with_bos.encode("ab", {.add_special = false}) == Ids{2});
  CHECK(with_bos.spec().add_bos);
}

TEST_CASE("tokenizer.json: what is unknown is named, never guessed") {
  CHECK(json_error("{}") == "no error");
  CHECK(json_error(R"({"normalizer": {"type": "Fancy"}})").find("normalizer 'Fancy'") != std::string::npos);
  CHECK(json_error(R"({"pre_tokenizer": {"type": "Fancy"}})").find("pre-tokenizer 'Fancy'") != std::string::npos);
  CHECK(json_error(R"({"decoder": {"type": "Fancy"}})").find("decoder 'Fancy'") != std::string::npos);
  CHECK(json_error(R"({"post_processor": {"type": "Fancy"}})").find("post-processor 'Fancy'") != std::string::npos);
  CHECK(json_error(R"({"model": {"type": "Fancy"}})").find("model 'Fancy'") != std::string::npos);
  for (const char* steps :
       {R"({"model": {"vocab": {"x": -1}}})", R"({"model": {"vocab": {"x": 4000000000}}})",
        R"({"model": {"vocab": {"x": 0}}})", R"({"model": {"merges": ["a x"]}})", R"({"model": {"merges": ["ab"]}})",
        R"({"model": {"merges": [1]}})", R"({"model": {"vocab": null}})", R"({"model": {"dropout": 0.5}})",
        R"({"model": {"unk_token": "nope"}})", R"({"added_tokens": [{"id": 1}]})", R"({"added_tokens": 3})",
        R"({"normalizer": 3})", R"({"normalizer": {"type": 1}})",
        R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}})",
        R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Odd"}})",
        R"({"decoder": {"type": "Strip", "content": " ", "start": "x"}})", R"({"decoder": {"type": "Strip"}})",
        R"({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}]}})"}) {
    CAPTURE(steps);
    CHECK(json_error(steps) != "no error");
  }
  CHECK_THROWS_AS(tokenizer_from_json("{"), Error);
  CHECK_THROWS_AS(tokenizer_from_json("[]"), Error);
  CHECK_THROWS_AS(tokenizer_from_json(std::string(1 << 20, '[')), Error);
  Metadata m = byte_level_gguf("fancy-pre", kMerges);
  try {
    tokenizer_from_gguf(m);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("'fancy-pre'") != std::string::npos);
  }
  CHECK_NOTHROW(tokenizer_from_gguf(m, "gpt-2"));
  m.set("tokenizer.ggml.model", std::string("odd"));
  CHECK_THROWS_AS(tokenizer_from_gguf(m), Error);
  m = byte_level_gguf("gpt-2", kMerges);
  m.set("tokenizer.ggml.token_type", std::vector<int64_t>{1});
  CHECK_THROWS_AS(tokenizer_from_gguf(m), Error);
  m = byte_level_gguf("gpt-2", kMerges);
  m.set("tokenizer.ggml.eos_token_id", int64_t(1) << 40);
  CHECK_THROWS_AS(tokenizer_from_gguf(m), Error);
  m = byte_level_gguf("gpt-2", kMerges);
  m.set("tokenizer.ggml.merges", std::vector<std::string>{"zz qq"});
  CHECK_THROWS_AS(tokenizer_from_gguf(m), Error);
}

TEST_CASE("tokenizer spec: sections bring the same tokenizer back") {
  for (const Metadata& m : {byte_level_gguf("qwen2", kMerges), scored_gguf(true)}) {
    const TokenizerSpec spec = tokenizer_from_gguf(m).spec;
    std::vector<TokenizerSection> sections = spec.sections();
    const TokenizerSpec back = TokenizerSpec::from_sections(sections, spec.storage);
    CHECK(back.bos == spec.bos);
    CHECK(back.ends == spec.ends);
    CHECK(back.add_space_prefix == spec.add_space_prefix);
    const Tokenizer a(spec), b(back);
    CHECK(a.encode("hello abc <tag> <|end|> 12") == b.encode("hello abc <tag> <|end|> 12"));
  }
}

TEST_CASE("tokenizer spec: hostile sections are refused or harmless") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  const TokenizerSpec spec = tokenizer_from_gguf(byte_level_gguf("smollm", kMerges)).spec;
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    auto sections = spec.sections();
    std::vector<std::vector<uint64_t>> copies;  // aligned
    for (TokenizerSection& s : sections) {
      copies.emplace_back(s.bytes.size() / 8 + 1);
      std::memcpy(copies.back().data(), s.bytes.data(), s.bytes.size());
      s.bytes = {reinterpret_cast<const std::byte*>(copies.back().data()), s.bytes.size()};
    }
    const size_t which = rng() % sections.size();
    auto* bytes = reinterpret_cast<uint8_t*>(copies[which].data());
    const size_t size = sections[which].bytes.size();
    switch (rng() % 4) {
      case 0: sections.erase(sections.begin() + ptrdiff_t(which)); break;
      case 1: sections[which].bytes = sections[which].bytes.first(rng() % size); break;
      default: bytes[rng() % size] ^= uint8_t(1u << rng() % 8);
    }
    try {
      const Tokenizer t(TokenizerSpec::from_sections(sections, nullptr));
      t.decode(t.encode("hello w 12 <|end|><tool> \xff aaaa"));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("tokenizer: long texts of one kind take linear time") {
  const Tokenizer byte_bpe = byte_level(), qwen = byte_level("qwen2");
  const Tokenizer scored(tokenizer_from_gguf(scored_gguf(true)).spec);
  std::mt19937 rng(1);
  std::string noise(1 << 20, ' '), marks;
  for (char& c : noise) c = char(rng());
  while (marks.size() < 1 << 20) append_utf8(marks, 0x300 + rng() % 0x60);
  for (const std::string& text :
       {std::string(1 << 20, 'a'), std::string(1 << 20, ' '), std::string(1 << 20, '\n'), noise, marks}) {
    for (const Tokenizer* t : {&byte_bpe, &qwen, &scored}) {
      const auto start = std::chrono::steady_clock::now();
      const Ids ids = t->encode(text, {.add_special = false});
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      CHECK(seconds < 40);  // usually 0.3; quadratic work would take hours
      if (t != &qwen) CHECK((t->decode(ids) == text));
    }
  }
}

TEST_CASE("tokenizer: one tree of pieces for all who ask") {
  std::shared_ptr<const TokenTrie> trie;
  {
    const Tokenizer t = byte_level();
    trie = t.token_trie();
    CHECK(trie->vocab() == t.size());
    std::vector<std::thread> threads;
    std::atomic<int> others = 0;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { others += t.token_trie() != trie; });
    for (std::thread& thread : threads) thread.join();
    CHECK(others == 0);
    CHECK(t.token_trie(t.size() + 8)->vocab() == t.size() + 8);  // a model with more logits
  }
  CHECK(!trie->nodes().empty());  // it outlives the tokenizer
}

TEST_CASE("tokenizer: NFC") {
  const auto nfc = [](std::string text) {
    normalize_unicode(text, NormalForm::nfc);
    return text;
  };
  CHECK(nfc("plain") == "plain");
  CHECK(nfc("e\u0301") == "\u00e9");
  CHECK(nfc("e\u0301\u0323") == "\u1eb9\u0301");
  CHECK(nfc("\u212b") == "\u00c5");
  CHECK(nfc("\u1100\u1161\u11a8") == "\uac01");
  CHECK(nfc("e\xff\u0301") == "e\xff\u0301");
}

}  // namespace
