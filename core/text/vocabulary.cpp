// Token text -> id.
#include "core/text/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

namespace loam {
namespace {
size_t hash(std::string_view text) { return size_t(XXH3_64bits(text.data(), text.size())); }
}  // namespace

Vocabulary::Vocabulary(const TokenizerSpec& spec)
    : spec_(&spec), slots_(std::bit_ceil(2 * spec.size() + 2), -1), mask_(slots_.size() - 1) {
  for (size_t id = 0; id < spec.size(); ++id) {
    const std::string_view text = spec.token(id);
    if (text.empty() || spec.kind(id) == TokenKind::unused) continue;
    size_t at = hash(text) & mask_;
    while (slots_[at] >= 0 && spec.token(size_t(slots_[at])) != text) at = (at + 1) & mask_;
    if (slots_[at] < 0) slots_[at] = int32_t(id);
  }
}

int32_t Vocabulary::find(std::string_view text) const {
  for (size_t at = hash(text) & mask_;; at = (at + 1) & mask_) {
    const int32_t id = slots_[at];
    if (id < 0 || spec_->token(size_t(id)) == text) return id;
  }
}

}  // namespace loam
