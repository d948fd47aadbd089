// The makers of models, one .cpp each, and what they share.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"
#include "core/text/vocabulary.h"

namespace loam {

// A maker's model borrows spec and vocabulary.
using ModelMaker = TokenModel (*)(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_scored_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_unigram(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_scored_unigram(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_wordpiece(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
TokenModel make_wordlevel(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);

// The id of a text in the model's own vocabulary; -1: none, or an added token that the model does not know.
inline int32_t find_own(const TokenizerSpec& spec, const Vocabulary& vocabulary, std::string_view text) {
  const int32_t id = vocabulary.find(text);
  return id >= 0 && spec.has_flag(size_t(id), TokenFlags::outside) ? -1 : id;
}

// The tokens "<0x00>" to "<0xFF>" for text that is no token.
class ByteTokens {
 public:
  ByteTokens(bool wanted, const TokenizerSpec& spec, const Vocabulary& vocabulary);
  bool complete(std::string_view text) const {  // whether all its bytes have tokens
    return std::all_of(text.begin(), text.end(), [&](char c) { return ids_[uint8_t(c)] >= 0; });
  }
  int32_t operator[](char c) const { return ids_[uint8_t(c)]; }

 private:
  int32_t ids_[256];
};

// A model that remembers short words during a call. Encode: as TokenModel, the same ids for the same word each time.
template <class Encode>
TokenModel with_cache(Encode encode) {
  return [encode = std::move(encode)](std::string_view word, ModelScratch& scratch, std::vector<int32_t>& out) {
    WordCache::Slot* slot = scratch.cache.slot(word);
    if (slot && WordCache::holds(*slot, word)) {
      out.insert(out.end(), slot->id, slot->id + slot->ids);
      return;
    }
    const size_t before = out.size();
    encode(word, scratch, out);
    if (slot) WordCache::store(*slot, word, out.data() + before, out.size() - before);
  };
}

// The id of the field `unk_token`; -1 where it is null or empty. Fails if the vocabulary lacks that token.
int32_t unk_field(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
[[noreturn]] void fail_no_unk(std::string_view text);

}  // namespace loam
