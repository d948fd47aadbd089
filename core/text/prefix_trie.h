// A trie of byte strings in one hash table: all strings that begin at a place are found by walking down from the root.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace loam {

class PrefixTrie {
 public:
  static constexpr int32_t kRoot = 0;

  // A later string with the same text replaces the value of the earlier one. Values are not negative.
  void add(std::string_view text, int32_t value);
  // Makes room for strings of so many bytes altogether.
  void reserve(size_t bytes);

  // The node one byte further down; -1: none.
  int32_t child(int32_t node, uint8_t byte) const {
    const uint32_t key = key_of(node, byte);
    for (size_t at = place(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key) return slot.child;
      if (slot.child < 0) return -1;
    }
  }
  // The node at the end of `text`; -1: none.
  int32_t walk(std::string_view text) const;
  int32_t value(int32_t node) const { return values_[size_t(node)]; }  // -1: no string ends here

 private:
  struct Slot {
    uint32_t key;
    int32_t child;  // -1: empty
  };
  static constexpr uint32_t kNoKey = 0xffffffff;
  static uint32_t key_of(int32_t node, uint8_t byte) { return uint32_t(node) << 8 | byte; }
  size_t place(uint32_t key) const { return size_t(key * uint64_t(0x9e3779b97f4a7c15u) >> shift_); }
  void resize(size_t slots);
  int32_t add_child(int32_t node, uint8_t byte);

  std::vector<Slot> slots_ = std::vector<Slot>(2, Slot{kNoKey, -1});  // a power of two, at most half full
  std::vector<int32_t> values_{-1};                                   // by node
  size_t mask_ = 1;
  int shift_ = 63;
};

}  // namespace loam
