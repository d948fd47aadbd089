// GGUF vocabularies: every pre-tokenizer name, every model, and metadata that is wrong. Ids on many texts are the
// business of text_gguf_oracle.py.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include "core/text/gguf_pre.h"
#include "core/text/scanners.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "tests/error_text.h"
#include "tests/gguf_vocabularies.h"
#include "tests/small_vocabularies.h"

namespace {
using namespace loam;
using namespace loam::tests;
using Ids = std::vector<int32_t>;

std::string error_of(const Metadata& m, Code code, const std::string& pre = {}) {
  return what_of([&] { const Tokenizer t(tokenizer_from_gguf(m, pre).spec); }, code);
}

std::vector<std::string> names_of(const GgufPre& row) {
  std::vector<std::string> out{""};
  for (const char c : row.names) {
    if (c == ',')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

Tokenizer load(const Metadata& m, const std::string& pre = {}) { return Tokenizer(tokenizer_from_gguf(m, pre).spec); }

Metadata scored(const std::vector<std::pair<std::string, double>>& pieces, const char* model = "llama") {
  const GgufTokens t = sentence_pieces(pieces);
  Metadata m = gguf_metadata(model, t);
  m.set("tokenizer.ggml.scores", t.scores);
  m.set("tokenizer.ggml.unknown_token_id", int64_t(0));
  return m;
}

TEST_CASE("gguf: every name of a pre-tokenizer makes a tokenizer that loses no byte") {
  std::mt19937 rng(5);
  std::set<std::string> seen;
  for (const GgufPre& row : all_gguf_pres()) {
    for (const std::string& name : names_of(row)) {
      CAPTURE(name);
      CHECK(seen.insert(name).second);
      CHECK(&find_gguf_pre(name) == &row);
      if (row.spaces != GgufPre::as_bytes) continue;
      const Tokenizer t = load(gpt2_vocabulary(name, {{"1", "2"}, {" ", "a"}, {"\n", "\n"}}));
      CHECK(t.spec().add_bos == row.add_bos);
      if (row.nfc) continue;
      for (int round = 0; round < 30; ++round) {
        std::string text;
        for (int i = 0; i < 40; ++i) {
          if (rng() % 4 == 0)
            text += char(rng());
          else
            text += "aB 12\n\r\t'sS.!\u00e9"[rng() % 15];
        }
        CHECK(t.decode(t.encode(text, {.add_special = false})) == text);
      }
    }
  }
  CHECK(seen.size() > 80);
  CHECK(gguf_pre_names().find("llama-bpe, llama3") == 0);
}

TEST_CASE("gguf: patterns of the commonest vocabularies have linear scanners") {
  for (const char* name : {"llama-bpe", "qwen2"}) {
    const GgufPre& row = find_gguf_pre(name);
    const bool found = find_scanner(row.steps[0].pattern);
    CHECK(found);
  }
}

TEST_CASE("gguf: an unknown or missing pre-tokenizer is an error that says what to do") {
  CHECK(mentions(error_of(gpt2_vocabulary("nonesuch"), Code::unsupported), "'nonesuch'"));
  CHECK(mentions(error_of(gpt2_vocabulary("nonesuch"), Code::unsupported), "--pre NAME"));
  CHECK(mentions(error_of(gpt2_vocabulary("default"), Code::unsupported), "'default'"));
  CHECK(mentions(error_of(gpt2_vocabulary(""), Code::unsupported), "tokenizer.ggml.pre"));
  CHECK(mentions(error_of(gpt2_vocabulary("gpt-2"), Code::unsupported, "what"), "kimi-k2"));
  CHECK(mentions(error_of(gpt2_vocabulary(std::string(100000, 'x')), Code::unsupported), "xxx"));
  const auto merges = std::vector<std::pair<std::string, std::string>>{{"1", "2"}};
  CHECK(load(gpt2_vocabulary("nonesuch", merges), "gpt-2").encode("12").size() == 1);
  CHECK(load(gpt2_vocabulary("gpt-2", merges), "smollm").encode("12").size() == 2);
}

TEST_CASE("gguf: unknown models") {
  for (const char* model : {"rwkv", "plamo2", "hybriddna", "no_vocab", ""}) {
    Metadata m = gpt2_vocabulary("gpt-2");
    m.set("tokenizer.ggml.model", std::string(model));
    CHECK(mentions(error_of(m, Code::unsupported), "'" + std::string(model) + "'"));
  }
}

TEST_CASE("gguf: wrong metadata") {
  const Metadata good = gpt2_vocabulary("gpt-2", {{"a", "b"}});
  REQUIRE(load(good).size() == 258);
  const auto with = [&](const char* key, MetaValue value) {
    Metadata m = good;
    m.set(std::string("tokenizer.ggml.") + key, std::move(value));
    return m;
  };
  CHECK(mentions(error_of(with("bos_token_id", int64_t(258)), Code::bad_file), "bos_token_id is 258"));
  CHECK(mentions(error_of(with("eos_token_id", int64_t(1) << 40), Code::bad_file), "eos_token_id"));
  CHECK(mentions(error_of(with("eot_token_id", int64_t(1000)), Code::bad_file), "eot_token_id"));
  CHECK(mentions(error_of(with("bos_token_id", std::string("1")), Code::bad_file), "bos_token_id"));
  CHECK(mentions(error_of(with("add_bos_token", int64_t(1)), Code::bad_file), "add_bos_token"));
  CHECK(mentions(error_of(with("tokens", std::string("x")), Code::bad_file), "tokens"));
  CHECK(mentions(error_of(with("token_type", std::vector<int64_t>{1}), Code::bad_file), "1 token types"));
  CHECK(mentions(error_of(with("token_type", std::vector<int64_t>(258, 7)), Code::bad_file), "type 7"));
  CHECK(mentions(error_of(with("token_type", std::vector<int64_t>(258, -1)), Code::bad_file), "type -1"));
  CHECK(mentions(error_of(with("merges", std::vector<std::string>{"ab"}), Code::bad_file), "'ab' has no two sides"));
  CHECK(mentions(error_of(with("merges", std::vector<std::string>{""}), Code::bad_file), "no two sides"));
  CHECK(mentions(error_of(with("merges", std::vector<std::string>{"a x"}), Code::bad_file), "'a x'"));
  CHECK(mentions(error_of(with("merges", std::vector<int64_t>{1}), Code::bad_file), "merges"));
  CHECK(mentions(error_of(with("tokens", std::vector<std::string>{}), Code::bad_file), "0 tokens"));
  // None, in the ways that converters write it; padding out of range is common and harmless.
  CHECK(load(with("bos_token_id", int64_t(-1))).spec().bos == -1);
  CHECK(load(with("bos_token_id", int64_t(0xffffffff))).spec().bos == -1);
  CHECK(load(with("padding_token_id", int64_t(258))).spec().pad == -1);
  CHECK(load(with("padding_token_id", int64_t(5))).spec().pad == 5);
  Metadata none = good;
  none.set("tokenizer.ggml.bos_token_id", int64_t(-1));
  none.set("tokenizer.ggml.add_bos_token", true);
  CHECK(load(none).encode("").empty());
  CHECK(mentions(error_of(Metadata(), Code::bad_file), "tokenizer.ggml.model"));
}

TEST_CASE("gguf: many merges, which two threads look up") {
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCD";
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const char a : letters)
    for (const char b : letters) pairs.push_back({std::string(1, a), std::string(1, b)});
  const size_t two = pairs.size();
  for (size_t i = 0; i < two; ++i)
    for (const char c : letters) pairs.push_back({pairs[i].first + pairs[i].second, std::string(1, c)});
  Metadata m = byte_level_gguf("gpt-2", pairs);
  auto rules = m.get<std::vector<std::string>>("tokenizer.ggml.merges");
  const size_t listed = rules.size();
  for (size_t i = two; i < listed; ++i) rules.push_back({rules[i][0], ' ', rules[i][1], rules[i][3]});  // a bc for ab c
  m.set("tokenizer.ggml.merges", rules);
  const TokenizerSpec spec = tokenizer_from_gguf(m).spec;
  REQUIRE(spec.merges.size() == 3 * rules.size());
  size_t wrong = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto text = [&](size_t j) { return std::string(spec.token(spec.merges[3 * i + j])); };
    wrong += text(0) + " " + text(1) != rules[i] || text(2) != text(0) + text(1);
  }
  CHECK(wrong == 0);
  rules.back() = "a nothing";
  m.set("tokenizer.ggml.merges", rules);
  CHECK_THROWS_AS(tokenizer_from_gguf(m), Error);
}

TEST_CASE("gguf: wrong scores and maps") {
  Metadata m = scored({{"a", -1}});
  m.set("tokenizer.ggml.scores", std::vector<double>{1});
  CHECK(mentions(error_of(m, Code::bad_file), "1 scores"));
  m.set("tokenizer.ggml.scores", std::string("x"));
  CHECK(mentions(error_of(m, Code::bad_file), "scores"));
  m = scored({{"a", std::numeric_limits<double>::quiet_NaN()}});
  error_of(m, Code::bad_file);
  m = scored({{"a", -1}}, "t5");
  m.set("tokenizer.ggml.precompiled_charsmap", std::string("x"));
  CHECK(mentions(error_of(m, Code::bad_file), "precompiled_charsmap"));
  GgufTokens t = sentence_pieces({});
  CHECK(mentions(error_of(gguf_metadata("t5", t), Code::bad_file), "scores"));
}

TEST_CASE("gguf: what is put around a text") {
  Metadata m = gpt2_vocabulary("gpt-2", {}, {{"<s>", 3}});
  m.set("tokenizer.ggml.bos_token_id", int64_t(257));
  CHECK(load(m).encode("a") == Ids{'a'});
  m.set("tokenizer.ggml.add_bos_token", true);
  CHECK(load(m).encode("a") == Ids{257, 'a'});
  m.set("tokenizer.ggml.add_eos_token", true);
  CHECK(load(m).encode("a") == Ids{257, 'a', 256});
  CHECK(load(m).encode("a", {.add_special = false}) == Ids{'a'});
  m.set("tokenizer.ggml.add_bos_token", false);
  CHECK(load(m).encode("") == Ids{256});
  CHECK(load(m, "llama-bpe").encode("") == Ids{256});  // the file's word against the name's custom
}

TEST_CASE("gguf: SentencePiece by scores") {
  const Metadata m = scored({{"\u2581", -10}, {"a", -11}, {"b", -12}, {"ab", -1}, {"\u2581ab", -2}});
  const Tokenizer t = load(m);
  CHECK(t.spec().add_bos);  // the custom of this model
  CHECK(t.encode("ab") == Ids{1, t.find("\u2581ab")});
  CHECK(t.encode("") == Ids{1});
  CHECK(t.decode(t.encode("ab c\xff"), true) == "ab c\xff");
  Metadata bare = gguf_metadata("llama", sentence_pieces({{"\u2581", 0}, {"a", 0}, {"aa", 0}}));  // no scores
  CHECK(load(bare).encode("aaa", {.add_special = false}) == Ids{259, 261, 260});
  bare.set("tokenizer.ggml.add_space_prefix", false);
  CHECK(load(bare).encode("aaa", {.add_special = false}) == Ids{261, 260});
  bare.set("tokenizer.ggml.scores", std::vector<int64_t>(262, 0));
  CHECK(load(bare).encode("aa", {.add_special = false}) == Ids{261});
}

TEST_CASE("gguf: gemma4 merges UTF-8 by rank, with bytes for the rest") {
  GgufTokens t = sentence_pieces({{"\u2581", 0}, {"a", 0}, {"\u2581a", 0}, {"\n", 0}, {"\n\n", 0}});
  Metadata m = gguf_metadata("gemma4", t);
  m.set("tokenizer.ggml.merges", std::vector<std::string>{"\u2581 a", "\n \n"});
  m.set("tokenizer.ggml.bos_token_id", int64_t(1));
  m.set("tokenizer.ggml.unknown_token_id", int64_t(0));
  const Tokenizer g = load(m);
  CHECK(g.encode("a a\n\n\n") == Ids{1, 260, 261, 263, 262});
  CHECK(g.decode(g.encode("x a\xfe"), true) == "x a\xfe");
}

TEST_CASE("gguf: words between spaces, as they are") {
  GgufTokens t;
  for (const char* text : {"<unk>", "a", "b", "\u00e9", "ab", "ab\u00e9"}) t.add(text);
  Metadata m = gguf_metadata("whitespace", t);
  m.set("tokenizer.ggml.merges", std::vector<std::string>{"a b", "ab \u00e9"});
  m.set("tokenizer.ggml.unknown_token_id", int64_t(0));
  CHECK(load(m).encode(" ab\u00e9\n ba ") == Ids{5, 2, 1});
  CHECK(load(m).encode("Ab") == Ids{0, 2});
  CHECK(load(m).decode(Ids{5}) == "ab\u00e9");
  m.set("tokenizer.ggml.normalizer.lowercase", true);
  CHECK(load(m).encode("Ab") == Ids{4});
}

TEST_CASE("gguf: spaces beside special tokens, where a family is known for it") {
  const auto phi = [](const char* name) {
    GgufTokens t = sentence_pieces({{"\u2581", -1}, {"a", -1}});
    t.add("<|user|>", 3);
    Metadata m = gguf_metadata("llama", t);
    m.set("tokenizer.ggml.scores", t.scores);
    m.set("general.name", std::string(name));
    m.set("tokenizer.ggml.add_space_prefix", false);
    return load(m).encode("<|user|>  a", {.add_special = false}).size();
  };
  CHECK(phi("Phi-3 mini") == 2);
  CHECK(phi("other") == 4);
  Metadata mask = gpt2_vocabulary("jina-v2-code", {}, {{"<mask>", 3}});
  CHECK(load(mask).encode("a  <mask>").size() == 2);
  mask.set("tokenizer.ggml.pre", std::string("gpt-2"));
  CHECK(load(mask).encode("a  <mask>").size() == 4);
}

TEST_CASE("gguf: tokens that end an answer") {
  const auto ends = [](const std::vector<std::pair<std::string, int64_t>>& more, const char* key = nullptr) {
    Metadata m = gpt2_vocabulary("gpt-2", {}, more);
    m.set("tokenizer.ggml.eos_token_id", int64_t(257));
    if (key) m.set(std::string("tokenizer.ggml.") + key, int64_t(258));
    const Tokenizer t = load(m);
    std::set<std::string> out;
    for (const int32_t id : t.spec().ends)
      out.insert(t.spec().token(size_t(id)) == "<|end|>" ? "end" : std::string(t.token(id)));
    return out;
  };
  using Texts = std::set<std::string>;
  CHECK(ends({{"<e>", 3}, {"<x>", 3}}) == Texts{"end", "<e>"});
  CHECK(ends({{"<e>", 3}, {"<x>", 3}}, "eot_token_id") == Texts{"end", "<e>", "<x>"});
  CHECK(ends({{"<e>", 3}, {"<x>", 3}}, "fim_pad_token_id") == Texts{"end", "<e>", "<x>"});
  CHECK(ends({{"<e>", 3}, {"<|im_end|>", 4}, {"<|eot_id|>", 1}}) == Texts{"end", "<e>", "<|im_end|>"});
  CHECK(ends({{"<e>", 3}, {"<|return|>", 3}}) == Texts{"end", "<e>", "<|return|>"});
  CHECK(ends({{"<|return|>", 3}, {"<|call|>", 3}}) == Texts{"<|return|>", "<|call|>"});  // "<|end|>" ends a message
  CHECK(ends({{"<e>", 3}, {"</s>", 3}, {"<|tool_response>", 3}}) == Texts{"end", "<e>", "<|tool_response>"});
}

TEST_CASE("gguf: pieces of words, with the beginnings marked") {
  GgufTokens t;
  t.add("[PAD]", 3), t.add("[UNK]", 3), t.add("[CLS]", 3), t.add("[SEP]", 3), t.add("[unused0]");
  t.add("\u2581ab"), t.add("c"), t.add("\u2581.");
  Metadata m = gguf_metadata("bert", t);
  m.set("tokenizer.ggml.cls_token_id", int64_t(2));
  m.set("tokenizer.ggml.seperator_token_id", int64_t(3));
  m.set("tokenizer.ggml.unknown_token_id", int64_t(1));
  const TokenizerSpec spec = tokenizer_from_gguf(m).spec;
  CHECK(spec.token(4) == "[unused0]");
  CHECK(spec.token(5) == "ab");
  CHECK(spec.token(6) == "##c");
  CHECK(spec.token(7) == ".");
  CHECK(spec.bos == 2);
  CHECK(spec.eos == 3);
  m.set("tokenizer.ggml.unknown_token_id", int64_t(-1));
  CHECK(mentions(error_of(m, Code::bad_file), "unknown token"));
}

}  // namespace
