// SentencePiece's precompiled character map: a double-array trie of byte strings and their replacements.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loam {

class Charsmap {
 public:
  // `bytes` as normalizer_spec.precompiled_charsmap holds them. Fails with bad_file where sizes do not fit.
  explicit Charsmap(std::string_view bytes);

  struct Hit {
    size_t bytes = 0;  // of the text that are replaced; 0: nothing to replace here
    std::string_view replacement;
  };
  // The shortest or longest entry that text[at...] begins with.
  Hit shortest(std::string_view text, size_t at) const { return find(text, at, true); }
  Hit longest(std::string_view text, size_t at) const { return find(text, at, false); }
  bool begins(uint8_t byte) const { return begins_[byte]; }  // some entry begins so

 private:
  Hit find(std::string_view text, size_t at, bool first) const;

  std::vector<uint32_t> units_;
  std::string replacements_;  // each ends with a zero byte
  bool begins_[256] = {};
};

// What tokenizer.json's Precompiled does: by grapheme clusters, with the shortest entry (SentencePiece itself takes the
// longest entry at every place).
void apply_by_graphemes(const Charsmap& map, std::string& text);

// Standard base64 with padding; false: not base64.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace loam
