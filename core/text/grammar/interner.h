// Lists of 64-bit words, each kept once: equal lists have equal ids.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace loam {

class Interner {
 public:
  Interner() : begins_{0}, slots_(64, kFree) {}

  size_t size() const { return begins_.size() - 1; }
  size_t bytes() const { return (words_.size() + begins_.size()) * 8 + slots_.size() * 4; }
  std::span<const uint64_t> list(uint32_t id) const {
    return {words_.data() + begins_[id], words_.data() + begins_[id + 1]};
  }

  uint32_t id(std::span<const uint64_t> list_wanted) {
    if (2 * size() >= slots_.size()) grow();
    for (size_t at = hash(list_wanted) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == kFree) {
        slots_[at] = uint32_t(size());
        words_.insert(words_.end(), list_wanted.begin(), list_wanted.end());
        begins_.push_back(words_.size());
        return slots_[at];
      }
      const std::span<const uint64_t> known = list(slots_[at]);
      if (std::equal(known.begin(), known.end(), list_wanted.begin(), list_wanted.end())) return slots_[at];
    }
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;

  static size_t hash(std::span<const uint64_t> words) {
    uint64_t h = words.size();
    for (const uint64_t w : words) {
      h = (h ^ w) * 0x9E3779B97F4A7C15u;
      h ^= h >> 29;
    }
    return size_t(h ^ h >> 32);
  }

  void grow() {
    slots_.assign(slots_.size() * 2, kFree);
    for (uint32_t i = 0; i < size(); ++i) {
      size_t at = hash(list(i)) & (slots_.size() - 1);
      while (slots_[at] != kFree) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = i;
    }
  }

  std::vector<uint64_t> words_;
  std::vector<size_t> begins_;
  std::vector<uint32_t> slots_;
};

// A set of 64-bit words that is emptied often.
class WordSet {
 public:
  WordSet() : slots_(64, Slot{0, 0}) {}
  void clear() {
    count_ = 0;
    ++round_;
  }
  // False where it was there already.
  bool insert(uint64_t word) {
    if (2 * count_ >= slots_.size()) grow();
    if (!place(word)) return false;
    ++count_;
    return true;
  }

 private:
  struct Slot {
    uint64_t word, round;
  };

  bool place(uint64_t word) {
    size_t at = size_t((word * 0x9E3779B97F4A7C15u) >> 20) & (slots_.size() - 1);
    while (slots_[at].round == round_) {
      if (slots_[at].word == word) return false;
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {word, round_};
    return true;
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2, Slot{0, 0});
    old.swap(slots_);
    for (const Slot& s : old)
      if (s.round == round_) place(s.word);
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
  uint64_t round_ = 1;
};

}  // namespace loam
