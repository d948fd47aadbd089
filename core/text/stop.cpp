// An automaton over bytes whose state is the longest end of the stream that begins a stop text.
#include "core/text/stop.h"

#include <algorithm>

#include "core/error.h"

namespace loam {

StopMatcher::StopMatcher(std::span<const std::string> texts) {
  constexpr size_t kMost = 1 << 20;
  size_t bytes = 0;
  for (const std::string& text : texts) {
    if (text.empty()) fail(Code::bad_argument, "a stop text is empty");
    bytes += text.size();
    if (bytes > kMost) fail(Code::bad_argument, "the stop texts have more than %zu bytes together", kMost);
  }
  if (texts.empty()) return;
  nodes_.emplace_back();
  for (const std::string& text : texts) insert(text);
  link();
}

uint32_t StopMatcher::child(uint32_t node, uint8_t byte) const {
  const auto& next = nodes_[node].next;
  const auto it = std::lower_bound(next.begin(), next.end(), std::pair<uint8_t, uint32_t>{byte, 0});
  return it != next.end() && it->first == byte ? it->second : kNone;
}

void StopMatcher::insert(std::string_view text) {
  uint32_t node = 0;
  for (const char c : text) {
    uint32_t to = child(node, uint8_t(c));
    if (to == kNone) {
      to = uint32_t(nodes_.size());
      nodes_.emplace_back();
      nodes_[to].depth = nodes_[node].depth + 1;
      auto& next = nodes_[node].next;
      const std::pair<uint8_t, uint32_t> edge{uint8_t(c), to};
      next.insert(std::lower_bound(next.begin(), next.end(), edge), edge);
    }
    node = to;
  }
  nodes_[node].match = uint32_t(text.size());
}

// Breadth first: a node's fallback is shorter than the node.
void StopMatcher::link() {
  std::vector<uint32_t> order{0};
  for (size_t i = 0; i < order.size(); ++i) {
    const uint32_t node = order[i];
    for (const auto& [byte, to] : nodes_[node].next) {
      order.push_back(to);
      if (node == 0) continue;
      uint32_t from = nodes_[node].fallback, found = child(from, byte);
      while (found == kNone && from != 0) {
        from = nodes_[from].fallback;
        found = child(from, byte);
      }
      nodes_[to].fallback = found == kNone ? 0 : found;
      if (nodes_[to].match == 0) nodes_[to].match = nodes_[nodes_[to].fallback].match;
    }
  }
}

std::string StopMatcher::push(std::string_view bytes, size_t* used) {
  if (used) *used = stopped_ ? 0 : bytes.size();
  if (nodes_.empty()) return std::string(bytes);
  if (stopped_) return {};
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    held_ += c;
    uint32_t to = child(at_, uint8_t(c));
    while (to == kNone && at_ != 0) {
      at_ = nodes_[at_].fallback;
      to = child(at_, uint8_t(c));
    }
    at_ = to == kNone ? 0 : to;
    if (const size_t length = nodes_[at_].match) {
      stopped_ = true;
      found_ = held_.substr(held_.size() - length);
      held_.erase(held_.size() - length);
      if (used) *used = i + 1;
      return finish();
    }
  }
  const size_t end = held_.size() - nodes_[at_].depth;
  std::string out = held_.substr(first_, end - first_);
  first_ = end;
  if (first_ > held_.size() / 2) held_.erase(0, first_), first_ = 0;  // each byte is moved once on average
  return out;
}

std::string StopMatcher::finish() {
  std::string out = held_.substr(first_);
  held_.clear();
  first_ = 0;
  at_ = 0;
  return out;
}

void StopMatcher::reset() {
  finish();
  stopped_ = false;
  found_.clear();
}

}  // namespace loam
