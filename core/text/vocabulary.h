// Token text -> id: open addressing over the texts of a TokenizerSpec, which it borrows; made at the first look-up.
// A spec's own Vocabulary, where its maker needed one, serves the tokenizer too.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace loam {

class Vocabulary {
 public:
  explicit Vocabulary(const TokenizerSpec& spec);
  // The lowest id with this text; -1: none. Empty and unused tokens have no text.
  int32_t find(std::string_view text) const { return find(text, key_of(text)); }
  // The same for up to kAhead texts at once: the memory for several is on its way while one is looked up, and a memo,
  // which must be of this vocabulary, knows many short ones.
  class Memo;
  void find(std::span<const std::string_view> texts, int32_t* ids, Memo& memo) const;
  static constexpr size_t kAhead = 32;
  bool unique() const { return made(), unique_; }  // no text occurs twice

 private:
  struct Slot {
    uint64_t key = 0;  // a text of up to 7 bytes and its size, else 255 and a hash: then the text itself is compared
    int32_t id = -1;
  };
  static constexpr uint64_t kLong = uint64_t(255) << 56;
  static uint64_t key_of(std::string_view text);
  static uint64_t hash(uint64_t key) { return (key ^ key >> 32) * 0x9e3779b97f4a7c15u; }
  size_t place(uint64_t key) const { return hash(key) >> shift_; }
  bool holds(const Slot& slot, uint64_t key, std::string_view text) const;
  int32_t find(std::string_view text, uint64_t key) const;
  void made() const {
    if (!made_.load(std::memory_order_acquire)) make();
  }
  void make() const;
  void insert(int32_t id, uint64_t key) const;

  std::string_view token(size_t id) const { return {text_ + offsets_[id], offsets_[id + 1] - offsets_[id]}; }

  const char* text_;
  const uint32_t* offsets_;
  std::span<const uint8_t> kinds_;
  size_t mask_;
  int shift_;
  mutable std::atomic<bool> made_ = false;
  mutable std::mutex mutex_;
  mutable bool unique_ = true;
  mutable std::vector<Slot> slots_;  // a power of two, at most two thirds full
};

class Vocabulary::Memo {
 public:
  Slot& of(uint64_t key) { return slots_[hash(key) >> (64 - kBits)]; }

 private:
  static constexpr int kBits = 14;  // what a near cache holds
  std::vector<Slot> slots_ = std::vector<Slot>(size_t(1) << kBits);
};

}  // namespace loam
