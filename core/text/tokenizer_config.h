// tokenizer_config.json and generation_config.json of a Hugging Face folder: what they say beside the vocabulary.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"
#include "core/text/vocabulary.h"

namespace loam {

class TokenizerConfig {
 public:
  // The texts of both files, or empty.
  TokenizerConfig(std::string_view config, std::string_view generation_config);

  std::string chat_template() const;  // the one to chat with; empty: none
  std::string class_name() const;     // "LlamaTokenizer", the suffix Fast left out; empty: not told
  std::optional<bool> flag(const char* name) const;

  // Ids of special tokens and of all that end an answer. Ids that are set in `spec` stay where the file names none.
  void read_special(const Vocabulary& vocabulary, TokenizerSpec& spec) const;

  struct Added {
    size_t id;
    std::string text;
    TokenKind kind;
    uint8_t flags;
  };
  std::vector<Added> added_tokens() const;  // added_tokens_decoder, by id

 private:
  std::string token_text(const char* name) const;
  Json config_, generation_;
};

// TokenFlags and kind of an added token, from its JSON object.
uint8_t added_token_flags(const Json& token);
TokenKind added_token_kind(uint8_t flags);

// Ids may leave gaps; a gap of more than this is taken for a damaged file.
constexpr size_t kMostUnused = 1 << 20;

// Puts the added tokens into a vocabulary that is being built: they replace tokens of the same id or come after them.
void add_tokens(const std::vector<TokenizerConfig::Added>& added, bool scores, TokenizerSpecBuilder& builder);

}  // namespace loam
