// What the loaders of GGUF vocabularies share; there is one loader per tokenizer.ggml.model.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metadata.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"

namespace loam {

// The tokenizer.ggml.* keys of a file, checked. Names are without that prefix.
class GgufVocabulary {
 public:
  explicit GgufVocabulary(const Metadata& metadata);

  const std::vector<std::string>& tokens() const { return tokens_; }
  TokenKind kind(size_t id) const;
  uint8_t flags(size_t id, TokenKind kind) const;  // TokenFlags
  bool flag(const char* name, bool otherwise) const;
  // The id under a key; where there is none or it says "none": -1, or `otherwise` if the vocabulary has it. An id
  // outside the vocabulary is an error.
  int32_t id(const char* name, int32_t otherwise = -1) const;
  std::vector<float> scores() const;  // one per token; empty: the file has none
  const MetaValue* find(const char* name) const;

  void add_tokens(TokenizerSpecBuilder& builder) const;
  void add_merges(TokenizerSpecBuilder& builder) const;  // after the tokens
  // Special ids and what is put around a text; the defaults count where the file says nothing.
  struct Defaults {
    int32_t bos = -1, eos = -1, unk = -1, pad = -1;
    bool add_bos = false, add_eos = false;
  };
  TokenizerSpec special(const Defaults& defaults) const;

 private:
  void find_merges(const Vocabulary& vocabulary, std::span<const std::string> merges, uint32_t* triples) const;
  int32_t joined_token(const Vocabulary& vocabulary, std::string_view left, std::string_view right,
                       int32_t before) const;

  enum class Strip : uint8_t { nothing, before_mask, after_special };

  const Metadata& metadata_;
  const std::vector<std::string>& tokens_;
  const std::vector<int64_t>* types_ = nullptr;  // null: all tokens are normal
  Strip strip_ = Strip::nothing;
};

struct GgufPipeline {
  Json normalizer, pre_tokenizer, model, decoder;
};

// The finished spec; head comes from special().
TokenizerSpec finish_gguf(TokenizerSpecBuilder& builder, TokenizerSpec head, const GgufPipeline& pipeline);

// bos and eos around a text (-1: nothing) as the template of tokenizer.json writes them; null for neither.
Json json_template(int32_t bos, int32_t eos);
Json json_sequence(const char* list, std::initializer_list<Json> steps);
Json json_replace(std::string_view from, std::string_view to);

TokenizerSpec load_gguf_gpt2(const GgufVocabulary& vocabulary, std::string_view pre);
TokenizerSpec load_gguf_whitespace(const GgufVocabulary& vocabulary, std::string_view pre);
TokenizerSpec load_gguf_gemma4(const GgufVocabulary& vocabulary, std::string_view pre);
TokenizerSpec load_gguf_llama(const GgufVocabulary& vocabulary, std::string_view pre);
TokenizerSpec load_gguf_t5(const GgufVocabulary& vocabulary, std::string_view pre);
TokenizerSpec load_gguf_bert(const GgufVocabulary& vocabulary, std::string_view pre);

}  // namespace loam
