// Building of PrefixTrie: strings in ascending order make the nodes of each depth in order.
#include "core/text/prefix_trie.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text/text_order.h"

namespace loam {
namespace {

constexpr size_t kMostNodes = 0x7ffffffe;
constexpr size_t kAhead = 16;  // strings on their way; a large vocabulary lies beyond the caches

size_t common_prefix(std::string_view a, std::string_view b) {
  return size_t(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

PrefixTrie::PrefixTrie(const std::vector<Entry>& entries) {
  std::vector<std::string_view> texts(entries.size());
  for (size_t i = 0; i < texts.size(); ++i) texts[i] = entries[i].text;
  const std::vector<uint32_t> order = order_by_bytes(texts);
  // A string adds the nodes behind what it has in common with the one before.
  std::vector<uint32_t> common(order.size());
  std::vector<uint32_t> ends;  // in `rests`: all those nodes
  std::string rests;
  std::vector<size_t> next(2);  // by depth: where the next node goes; at first how many there are
  next[0] = 1;
  std::string_view last;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 2 * kAhead < order.size()) __builtin_prefetch(&entries[order[i + 2 * kAhead]]);
    if (i + kAhead < order.size()) __builtin_prefetch(entries[order[i + kAhead]].text.data());
    const std::string_view text = entries[order[i]].text;
    common[i] = uint32_t(common_prefix(last, text));
    if (text.size() + 2 > next.size()) next.resize(text.size() + 2);
    for (size_t depth = common[i]; depth < text.size(); ++depth) ++next[depth + 1];
    rests += text.substr(common[i]);
    ends.push_back(uint32_t(rests.size()));
    last = text;
  }
  size_t count = 0;
  for (size_t& n : next) count += std::exchange(n, count);
  if (count > kMostNodes) fail(Code::unsupported, "tokenizer: the vocabulary's texts are too long");
  nodes_.assign(count + 1, {uint32_t(count), -1});
  bytes_.resize(count);
  nodes_[kRoot].children = 1;
  next[0] = 1;
  size_t node = kRoot, at = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + kAhead < order.size()) __builtin_prefetch(&entries[order[i + kAhead]]);
    for (size_t depth = common[i] + 1; at < ends[i]; ++depth) {
      node = next[depth]++;
      nodes_[node].children = uint32_t(next[depth + 1]);
      bytes_[node] = uint8_t(rests[at++]);
    }
    nodes_[node].value = entries[order[i]].value;
  }
}

int32_t PrefixTrie::walk(std::string_view text) const {
  int32_t node = kRoot;
  for (size_t i = 0; i < text.size() && node >= 0; ++i) node = child(node, uint8_t(text[i]));
  return node;
}

}  // namespace loam
