// Tokenizers as sections of a file, on long texts, and in several threads.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "core/error.h"
#include "core/text/grammar/token_trie.h"
#include "core/text/tokenizer.h"
#include "tests/small_vocabularies.h"

namespace {
using namespace loam;
using namespace loam::tests;
using Ids = std::vector<int32_t>;

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

}  // namespace
