// A trie of byte strings in arrays: all strings that begin at a place are found by walking down from the root.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace loam {

class PrefixTrie {
 public:
  static constexpr int32_t kRoot = 0;
  struct Entry {
    std::string_view text;  // needed while the trie is made
    int32_t value;          // not negative
  };

  PrefixTrie() : PrefixTrie(std::vector<Entry>()) {}
  // Of entries with the same text the largest value counts. Those in ascending order of their bytes need no sorting.
  explicit PrefixTrie(std::vector<Entry> entries);

  // The node one byte further down; -1: none.
  int32_t child(int32_t node, uint8_t byte) const {
    const uint32_t begin = nodes_[size_t(node)].children, end = nodes_[size_t(node) + 1].children;
    if (end - begin > kFew) {
      const void* found = std::memchr(&bytes_[begin], byte, end - begin);
      return found ? int32_t(static_cast<const uint8_t*>(found) - bytes_.data()) : -1;
    }
    for (uint32_t i = begin; i < end; ++i) {
      if (bytes_[i] == byte) return int32_t(i);
    }
    return -1;
  }
  // The node at the end of `text`; -1: none.
  int32_t walk(std::string_view text) const;
  int32_t value(int32_t node) const { return nodes_[size_t(node)].value; }  // -1: no string ends here

 private:
  static constexpr uint32_t kFew = 8;
  bool lay_out(std::span<const Entry> entries);  // false: they are not in order
  struct Node {
    uint32_t children;  // where they begin; they end where those of the next node do
    int32_t value;
  };
  std::vector<Node> nodes_;     // by depth, then in the order of their strings; one more ends the list
  std::vector<uint8_t> bytes_;  // by node: the last byte of its string
};

}  // namespace loam
