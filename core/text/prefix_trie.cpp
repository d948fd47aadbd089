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

std::vector<PrefixTrie::Entry> sorted(const std::vector<PrefixTrie::Entry>& entries) {
  std::vector<std::string_view> texts(entries.size());
  for (size_t i = 0; i < texts.size(); ++i) texts[i] = entries[i].text;
  std::vector<PrefixTrie::Entry> out;
  out.reserve(texts.size());
  for (const uint32_t i : order_by_bytes(texts)) out.push_back(entries[i]);
  return out;
}

}  // namespace

PrefixTrie::PrefixTrie(std::vector<Entry> entries) {
  if (!lay_out(entries)) lay_out(entries = sorted(entries));
}

bool PrefixTrie::lay_out(std::span<const Entry> entries) {
  const auto text_of = [&](size_t i) {
    if (i + kAhead < entries.size()) __builtin_prefetch(entries[i + kAhead].text.data());
    return entries[i].text;
  };
  // A string adds the nodes behind what it has in common with the one before.
  std::vector<uint32_t> common(entries.size());
  std::vector<size_t> next(2);  // by depth: where the next node goes; at first how many more than one depth above
  std::string_view last;
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string_view text = text_of(i);
    const size_t same = size_t(std::mismatch(last.begin(), last.end(), text.begin(), text.end()).first - last.begin());
    if (same < last.size() && (same == text.size() || uint8_t(text[same]) < uint8_t(last[same]))) return false;
    common[i] = uint32_t(same);
    if (text.size() + 2 > next.size()) next.resize(text.size() + 2);
    ++next[same + 1], --next[text.size() + 1];
    last = text;
  }
  size_t count = 1, at_depth = 0;
  for (size_t& n : next) count += at_depth += std::exchange(n, count);
  if (count > kMostNodes) fail(Code::unsupported, "tokenizer: the vocabulary's texts are too long");
  nodes_.assign(count + 1, {uint32_t(count), -1});
  bytes_.resize(count);
  nodes_[kRoot].children = 1;
  size_t node = kRoot;
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string_view text = text_of(i);
    for (size_t depth = common[i]; depth < text.size(); ++depth) {
      node = next[depth + 1]++;
      nodes_[node].children = uint32_t(next[depth + 2]);
      bytes_[node] = uint8_t(text[depth]);
    }
    nodes_[node].value = std::max(nodes_[node].value, entries[i].value);
  }
  return true;
}

int32_t PrefixTrie::walk(std::string_view text) const {
  int32_t node = kRoot;
  for (size_t i = 0; i < text.size() && node >= 0; ++i) node = child(node, uint8_t(text[i]));
  return node;
}

}  // namespace loam
