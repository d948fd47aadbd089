// What the two kinds of byte-pair encoding share.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/text/models.h"
#include "core/text/unicode.h"

namespace loam {

struct BpeOptions {
  bool byte_fallback, fuse_unk, ignore_merges;
  int32_t unk;
  std::string prefix, suffix;  // of every character but the first; of the last
};
BpeOptions read_bpe_options(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);

// Ids of single characters; those of Latin, Greek, Cyrillic ... and the byte alphabet without hashing.
class CharacterIds {
 public:
  CharacterIds(const TokenizerSpec& spec, const Vocabulary& vocabulary);
  int32_t find(std::string_view character) const { return find_own(*spec_, *vocabulary_, character); }
  int32_t find(const Char& c, std::string_view character) const {
    return c.code < kLow ? low_[c.code] : find(character);
  }

 private:
  static constexpr uint32_t kLow = 0x800;
  const TokenizerSpec* spec_;
  const Vocabulary* vocabulary_;
  std::vector<int32_t> low_;
};

void check_word_size(std::string_view word);  // places in words have 31 bits

}  // namespace loam
