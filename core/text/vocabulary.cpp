// Token text -> id.
#include "core/text/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace loam {
namespace {

constexpr size_t kAhead = 32;  // look-ups in flight; a large vocabulary lies beyond the caches

uint32_t tag_of(uint64_t hash) { return uint32_t(hash >> 32); }

template <class Word>
bool same_words(const char* a, const char* b, size_t size) {  // size >= sizeof(Word); the last two may overlap
  Word x, y;
  for (size_t at = 0;; at = std::min(at + sizeof(Word), size - sizeof(Word))) {
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    if (x != y) return false;
    if (at + sizeof(Word) == size) return true;
  }
}

// Most tokens are shorter than a call is long.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() >= 8) return same_words<uint64_t>(a.data(), b.data(), a.size());
  if (a.size() >= 4) return same_words<uint32_t>(a.data(), b.data(), a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

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
    if (slot.tag == tag_of(hash) && same(spec_->token(size_t(slot.id)), text)) {
      unique_ = false;
      return;
    }
  }
}

int32_t Vocabulary::find(std::string_view text, uint64_t hash) const {
  for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Slot slot = slots_[at];
    if (slot.id < 0 || (slot.tag == tag_of(hash) && same(spec_->token(size_t(slot.id)), text))) return slot.id;
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
