// Tokenizers on small vocabularies made here; the oracle test compares many texts and real vocabularies.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/error.h"
#include "core/text/regex.h"
#include "core/text/scanners.h"
#include "core/text/steps.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode.h"
#include "tests/small_vocabularies.h"

namespace {
using namespace loam;
using namespace loam::tests;
using Ids = std::vector<int32_t>;

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
