// Direct mapped; a word takes the place of the one that was there.
#include "core/text/word_cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace loam {
namespace {
// Small at first, so that short texts do not pay for the memory.
struct Step {
  size_t words, slots;
};
constexpr Step kSteps[] = {{1 << 6, 1 << 9}, {1 << 12, 1 << 14}};
}  // namespace

WordCache::Slot* WordCache::slot(std::string_view word) {
  if (word.size() > Slot::kBytes || word.empty()) return nullptr;
  ++words_;
  for (const Step& step : kSteps) {
    if (words_ == step.words) slots_.assign(step.slots, Slot{});
  }
  if (slots_.empty()) return nullptr;
  return &slots_[size_t(XXH3_64bits(word.data(), word.size())) & (slots_.size() - 1)];
}

void WordCache::store(Slot& s, std::string_view word, const int32_t* ids, size_t count) {
  if (count > Slot::kIds) return;
  s.bytes = uint8_t(word.size()), s.ids = uint8_t(count);
  std::memcpy(s.text, word.data(), word.size());
  std::memcpy(s.id, ids, count * sizeof *ids);
}

}  // namespace loam
