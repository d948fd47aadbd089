// Small GGUF vocabularies made in memory, one for each tokenizer model.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/metadata.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam::tests {

struct GgufTokens {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  std::vector<double> scores;
  int64_t add(const std::string& text, int64_t type = 1, double score = 0) {
    tokens.push_back(text), types.push_back(type), scores.push_back(score);
    return int64_t(tokens.size()) - 1;
  }
};

inline Metadata gguf_metadata(const std::string& model, const GgufTokens& t) {
  Metadata m;
  m.set("tokenizer.ggml.model", model);
  m.set("tokenizer.ggml.tokens", t.tokens);
  m.set("tokenizer.ggml.token_type", t.types);
  return m;
}

// GPT-2's characters for bytes.
inline std::string byte_characters(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, byte_to_char()[uint8_t(c)]);
  return out;
}

// All bytes, the results of the merges, the tokens of `more` with their types; bos and eos are "<|end|>".
inline Metadata gpt2_vocabulary(const std::string& pre,
                                const std::vector<std::pair<std::string, std::string>>& merges = {},
                                const std::vector<std::pair<std::string, int64_t>>& more = {}) {
  GgufTokens t;
  std::vector<std::string> rules;
  for (int b = 0; b < 256; ++b) t.add(byte_characters(std::string(1, char(b))));
  for (const auto& [left, right] : merges) {
    t.add(byte_characters(left + right));
    rules.push_back(byte_characters(left) + " " + byte_characters(right));
  }
  const int64_t end = t.add("<|end|>", 3);
  for (const auto& [text, type] : more) t.add(text, type);
  Metadata m = gguf_metadata("gpt2", t);
  if (!pre.empty()) m.set("tokenizer.ggml.pre", pre);
  m.set("tokenizer.ggml.merges", rules);
  m.set("tokenizer.ggml.bos_token_id", end);
  m.set("tokenizer.ggml.eos_token_id", end);
  return m;
}

// "<unk>", "<s>", "</s>", all bytes as tokens, then `pieces` with their scores.
inline GgufTokens sentence_pieces(const std::vector<std::pair<std::string, double>>& pieces) {
  GgufTokens t;
  t.add("<unk>", 2), t.add("<s>", 3), t.add("</s>", 3);
  for (int b = 0; b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", unsigned(b));
    t.add(text, 6);
  }
  for (const auto& [text, score] : pieces) t.add(text, 1, score);
  return t;
}

}  // namespace loam::tests
