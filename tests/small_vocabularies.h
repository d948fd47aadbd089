// GGUF vocabularies of a few hundred tokens, made here.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/text/steps.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/unicode.h"

namespace loam::tests {

inline std::string mapped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, byte_to_char()[uint8_t(c)]);
  return out;
}

// Byte-level vocabulary: the 256 bytes, then the results of `merges`, then two control tokens and one added one.
inline Metadata byte_level_gguf(const std::string& pre,
                                const std::vector<std::pair<std::string, std::string>>& merges) {
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

inline const std::vector<std::pair<std::string, std::string>> kMerges = {
    {"l", "l"}, {"h", "e"}, {"he", "ll"}, {"hell", "o"}, {" ", "w"}, {"1", "2"}, {" ", " "}, {"a", "a"}, {"aa", "aa"}};

inline Tokenizer byte_level(const std::string& pre = "smollm") {
  return Tokenizer(tokenizer_from_gguf(byte_level_gguf(pre, kMerges)).spec);
}

// SentencePiece vocabulary with scores.
inline Metadata scored_gguf(bool space_prefix) {
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

}  // namespace loam::tests
