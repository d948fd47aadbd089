// Token text -> id.
#include "core/text/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>

namespace loam {
namespace {

constexpr size_t kAhead = 32;  // look-ups in flight; a large vocabulary lies beyond the caches

uint32_t tag_of(uint64_t hash) { return uint32_t(hash >> 32); }

}  // namespace

uint64_t Vocabulary::hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

Vocabulary::Vocabulary(const TokenizerSpec& spec)
    : spec_(&spec), slots_(std::bit_ceil(spec.size() + spec.size() / 2 + 2)), mask_(slots_.size() - 1) {
  uint64_t hashes[kAhead];
  for (size_t begin = 0; begin < spec.size(); begin += kAhead) {
    const size_t count = std::min(kAhead, spec.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = hash(spec.token(begin + i));
      __builtin_prefetch(&slots_[hashes[i] & mask_], 1);
    }
    for (size_t i = 0; i < count; ++i) {
      if (!spec.token(begin + i).empty() && spec.kind(begin + i) != TokenKind::unused)
        insert(int32_t(begin + i), hashes[i]);
    }
  }
}

void Vocabulary::insert(int32_t id, uint64_t hash) {
  const std::string_view text = spec_->token(size_t(id));
  for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    if (slot.id < 0) {
      slot = {tag_of(hash), id};
      return;
    }
    if (slot.tag == tag_of(hash) && spec_->token(size_t(slot.id)) == text) {
      unique_ = false;
      return;
    }
  }
}

int32_t Vocabulary::find(std::string_view text, uint64_t hash) const {
  for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Slot slot = slots_[at];
    if (slot.id < 0 || (slot.tag == tag_of(hash) && spec_->token(size_t(slot.id)) == text)) return slot.id;
  }
}

void Vocabulary::find(std::span<const std::string_view> texts, int32_t* ids) const {
  uint64_t hashes[kAhead];
  for (size_t begin = 0; begin < texts.size(); begin += kAhead) {
    const size_t count = std::min(kAhead, texts.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = hash(texts[begin + i]);
      __builtin_prefetch(&slots_[hashes[i] & mask_]);
    }
    for (size_t i = 0; i < count; ++i) {
      const Slot slot = slots_[hashes[i] & mask_];
      if (slot.id >= 0) __builtin_prefetch(&spec_->offsets[size_t(slot.id)]);
    }
    for (size_t i = 0; i < count; ++i) {
      const Slot slot = slots_[hashes[i] & mask_];
      if (slot.id >= 0) __builtin_prefetch(spec_->token(size_t(slot.id)).data());
    }
    for (size_t i = 0; i < count; ++i) ids[begin + i] = find(texts[begin + i], hashes[i]);
  }
}

}  // namespace loam
