// Token text -> id.
#include "core/text/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace loam {
namespace {

constexpr size_t kShort = 7;  // bytes of a text that are its key: most look-ups need no other memory

template <class Word>
uint64_t word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Of texts longer than kShort. Most are shorter than a call is long.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t at = 0;; at = std::min(at + 8, a.size() - 8)) {  // the last two words may overlap
    if (word_at<uint64_t>(a.data() + at) != word_at<uint64_t>(b.data() + at)) return false;
    if (at + 8 == a.size()) return true;
  }
}

}  // namespace

uint64_t Vocabulary::key_of(std::string_view text) {
  const size_t size = text.size();
  const char* at = text.data();
  if (size > kShort) return kLong | XXH3_64bits(at, size) >> 8;
  uint64_t bytes = 0;
  if (size >= 4)  // the two words may overlap
    bytes = word_at<uint32_t>(at) | word_at<uint32_t>(at + size - 4) << (8 * (size - 4));
  else if (size > 0)  // first, middle and last
    bytes = uint8_t(at[0]) | uint64_t(uint8_t(at[size / 2])) << (8 * (size / 2)) |
            uint64_t(uint8_t(at[size - 1])) << (8 * (size - 1));
  return uint64_t(size) << 56 | bytes;
}

Vocabulary::Vocabulary(const TokenizerSpec& spec)
    : text_(reinterpret_cast<const char*>(spec.text.data())),
      offsets_(spec.offsets.data()),
      kinds_(spec.kinds),
      mask_(std::bit_ceil(spec.size() + spec.size() / 2 + 2) - 1),
      shift_(std::countl_zero(mask_)) {}

void Vocabulary::make() const {
  const std::lock_guard lock(mutex_);
  if (made_.load(std::memory_order_relaxed)) return;
  slots_.resize(mask_ + 1);
  uint64_t keys[kAhead];
  for (size_t begin = 0; begin < kinds_.size(); begin += kAhead) {
    const size_t count = std::min(kAhead, kinds_.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      keys[i] = key_of(token(begin + i));
      __builtin_prefetch(&slots_[place(keys[i])], 1);
    }
    for (size_t i = 0; i < count; ++i) {
      if (!token(begin + i).empty() && TokenKind(kinds_[begin + i]) != TokenKind::unused)
        insert(int32_t(begin + i), keys[i]);
    }
  }
  made_.store(true, std::memory_order_release);
}

bool Vocabulary::holds(const Slot& slot, uint64_t key, std::string_view text) const {
  return slot.key == key && (key < kLong || same(token(size_t(slot.id)), text));
}

void Vocabulary::insert(int32_t id, uint64_t key) const {
  for (size_t at = place(key);; at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    if (slot.id < 0) {
      slot = {key, id};
      return;
    }
    if (holds(slot, key, token(size_t(id)))) {
      unique_ = false;
      return;
    }
  }
}

int32_t Vocabulary::find(std::string_view text, uint64_t key) const {
  made();
  for (size_t at = place(key);; at = (at + 1) & mask_) {
    const Slot& slot = slots_[at];
    if (slot.id < 0 || holds(slot, key, text)) return slot.id;
  }
}

void Vocabulary::find(std::span<const std::string_view> texts, int32_t* ids, Memo& memo) const {
  made();
  uint64_t keys[kAhead];
  size_t missing[kAhead], misses = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    keys[i] = key_of(texts[i]);
    const Slot& known = memo.of(keys[i]);
    ids[i] = known.id;
    missing[misses] = i;
    misses += known.key != keys[i] || keys[i] >= kLong;
    __builtin_prefetch(&slots_[place(keys[i])]);
  }
  const auto each_long = [&](auto use) {
    for (size_t j = 0; j < misses; ++j) {
      const uint64_t key = keys[missing[j]];
      if (const Slot& slot = slots_[place(key)]; key >= kLong && slot.id >= 0) use(size_t(slot.id));
    }
  };
  each_long([&](size_t id) { __builtin_prefetch(&offsets_[id]); });
  each_long([&](size_t id) { __builtin_prefetch(token(id).data()); });
  for (size_t j = 0; j < misses; ++j) {
    const size_t i = missing[j];
    ids[i] = find(texts[i], keys[i]);
    memo.of(keys[i]) = {keys[i], ids[i]};
  }
}

}  // namespace loam
