// Cuts a text before U+2581, the SentencePiece mark of a word's beginning, where no token of the vocabulary has it
// after the same byte. No merge crosses such a place, so the words can be merged one by one.
#pragma once
#include <bitset>
#include <string_view>

#include "core/text/tokenizer_spec.h"

namespace loam {

class WordCuts {
 public:
  // Cuts nothing unless the mark is a token of its own: unknown text might be joined across it.
  WordCuts(const TokenizerSpec& spec, bool has_mark);

  // each(word) in order.
  template <class Each>
  void cut(std::string_view text, const Each& each) const {
    size_t done = 0;
    if (cuts_) {
      for (size_t at = next_mark(text, 1); at < text.size(); at = next_mark(text, at + 1)) {
        if (joined_[uint8_t(text[at - 1])]) continue;
        each(text.substr(done, at - done));
        done = at;
      }
    }
    if (done < text.size()) each(text.substr(done));
  }

 private:
  static size_t next_mark(std::string_view text, size_t from);
  bool cuts_;
  std::bitset<256> joined_;  // bytes that stand before a mark inside some token
};

}  // namespace loam
