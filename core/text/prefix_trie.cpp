// Building of PrefixTrie.
#include "core/text/prefix_trie.h"

#include <bit>

#include "core/error.h"

namespace loam {
namespace {
constexpr size_t kMostNodes = (1u << 24) - 1;  // a node and a byte make a 32-bit key
}

void PrefixTrie::resize(size_t slots) {
  std::vector<Slot> old(slots, Slot{kNoKey, -1});
  old.swap(slots_);
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  for (const Slot& s : old) {
    if (s.child < 0) continue;
    size_t at = place(s.key);
    while (slots_[at].child >= 0) at = (at + 1) & mask_;
    slots_[at] = s;
  }
}

void PrefixTrie::reserve(size_t bytes) {
  // Strings share their beginnings: about half of the bytes become nodes.
  const size_t slots = std::bit_ceil(std::min(bytes, kMostNodes) + 2);
  if (slots > slots_.size()) resize(slots);
  values_.reserve(std::min(bytes, kMostNodes) / 2);
}

int32_t PrefixTrie::add_child(int32_t node, uint8_t byte) {
  if (const int32_t there = child(node, byte); there >= 0) return there;
  if (values_.size() >= kMostNodes) fail(Code::unsupported, "tokenizer: the vocabulary's texts are too long");
  if (values_.size() * 2 >= slots_.size()) resize(2 * slots_.size());
  const uint32_t key = key_of(node, byte);
  size_t at = place(key);
  while (slots_[at].child >= 0) at = (at + 1) & mask_;
  slots_[at] = {key, int32_t(values_.size())};
  values_.push_back(-1);
  return slots_[at].child;
}

void PrefixTrie::add(std::string_view text, int32_t value) {
  int32_t node = kRoot;
  for (const char c : text) node = add_child(node, uint8_t(c));
  values_[size_t(node)] = value;
}

int32_t PrefixTrie::walk(std::string_view text) const {
  int32_t node = kRoot;
  for (size_t i = 0; i < text.size() && node >= 0; ++i) node = child(node, uint8_t(text[i]));
  return node;
}

}  // namespace loam
