// Radix sort by the first eight bytes, which tell most tokens apart; comparisons for the rest.
#include "core/text/text_order.h"

#include <algorithm>
#include <array>
#include <utility>

namespace loam {
namespace {

struct Key {
  uint64_t first;  // bytes
  uint32_t place;
};

uint64_t first_bytes(std::string_view text) {
  uint64_t first = 0;
  for (size_t b = 0; b < 8; ++b) first = first << 8 | (b < text.size() ? uint8_t(text[b]) : 0);
  return first;
}

void sort_by_first(std::vector<Key>& keys) {
  std::array<std::array<uint32_t, 256>, 8> counts{};
  for (const Key& k : keys) {
    for (size_t digit = 0; digit < 8; ++digit) ++counts[digit][k.first >> (8 * digit) & 0xff];
  }
  std::vector<Key> other(keys.size());
  for (size_t digit = 0; digit < 8; ++digit) {
    std::array<uint32_t, 256>& next = counts[digit];
    uint32_t sum = 0;
    for (uint32_t& n : next) sum += std::exchange(n, sum);
    for (const Key& k : keys) other[next[k.first >> (8 * digit) & 0xff]++] = k;
    keys.swap(other);
  }
}

// Of texts with the same first bytes: by the next ones, then by comparison.
void sort_rest(std::span<Key> keys, std::span<const std::string_view> texts) {
  for (Key& k : keys) {
    const std::string_view text = texts[k.place];
    k.first = first_bytes(text.substr(std::min<size_t>(8, text.size())));
  }
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = texts[a.place].compare(texts[b.place]);
    return order ? order < 0 : a.place < b.place;
  });
}

}  // namespace

std::vector<uint32_t> order_by_bytes(std::span<const std::string_view> texts) {
  std::vector<Key> keys(texts.size());
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = {first_bytes(texts[i]), uint32_t(i)};
  sort_by_first(keys);
  constexpr size_t kAhead = 16;  // texts on their way; a large vocabulary lies beyond the caches
  for (size_t i = 0, end; i < keys.size(); i = end) {
    for (end = i; end < keys.size() && keys[end].first == keys[i].first; ++end) {
      if (end + 2 * kAhead < keys.size()) __builtin_prefetch(&texts[keys[end + 2 * kAhead].place]);
      if (end + kAhead < keys.size()) __builtin_prefetch(texts[keys[end + kAhead].place].data());
    }
    if (end - i > 1) sort_rest(std::span(keys).subspan(i, end - i), texts);
  }
  std::vector<uint32_t> order(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) order[i] = keys[i].place;
  return order;
}

}  // namespace loam
