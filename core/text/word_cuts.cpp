// Which bytes come before the mark, from the vocabulary.
#include "core/text/word_cuts.h"

#include "core/text/steps.h"

namespace loam {

size_t WordCuts::next_mark(std::string_view text, size_t from) {
  return from < text.size() ? text.find(kMetaspace, from) : text.npos;
}

WordCuts::WordCuts(const TokenizerSpec& spec, bool has_mark) : cuts_(has_mark) {
  if (!cuts_) return;
  const std::string_view text(reinterpret_cast<const char*>(spec.text.data()), spec.text.size());
  size_t id = 0;
  for (size_t at = next_mark(text, 1); at < text.size(); at = next_mark(text, at + 1)) {
    while (spec.offsets[id + 1] <= at) ++id;
    if (spec.offsets[id] < at) joined_.set(uint8_t(text[at - 1]));
  }
}

}  // namespace loam
