#include "core/text/grammar/matcher.h"

#include "core/error.h"

namespace loam {
namespace {

constexpr uint64_t kMostWork = 10'000'000;
constexpr size_t kMostItems = 100'000;

}  // namespace

Matcher::Matcher(std::shared_ptr<const Automaton> automaton)
    : automaton_(std::move(automaton)), calls_(automaton_->rules.size()) {
  clear();
}

void Matcher::clear() {
  states_ = {};
  frames_ = {};
  moves_.clear();
  after_.clear();
  frames_.id({});  // kOutside
  end_ = false;
  items_.clear();
  intern();  // kDead
}

void Matcher::charge(uint64_t work) {
  work_ += work;
  if (work_ > kMostWork)
    fail(Code::unsupported,
         "the grammar is too ambiguous: a single step would take too long. Write it so that a text "
         "can be read in fewer ways");
}

// Clears what an Error may have left of the making of a state.
void Matcher::begin() {
  seen_.clear();
  todo_.clear();
  items_.clear();
  end_ = false;
  for (; !called_.empty(); called_.pop()) calls_[called_.top().second].clear();
}

Matcher::State Matcher::start() {
  begin();
  const Automaton::Rule& root = automaton_->rules[automaton_->root];
  end_ = root.nullable;
  expand(root.start, kOutside);
  return close();
}

Matcher::State Matcher::step(State s, std::string_view bytes) {
  for (const char c : bytes) {
    s = step(s, uint8_t(c));
    if (s == kDead) break;
  }
  return s;
}

Matcher::State Matcher::find_step(State s, uint32_t byte_class) {
  begin();
  const Automaton& a = *automaton_;
  for (const uint64_t word : states_.list(s).subspan(1)) {
    const auto [node, frame] = unpack(word);
    charge(1 + a.nodes[node + 1].bytes - a.nodes[node].bytes);
    for (uint32_t e = a.nodes[node].bytes; e < a.nodes[node + 1].bytes; ++e)
      if (a.byte_edges[e].low <= byte_class && byte_class <= a.byte_edges[e].high) push(a.byte_edges[e].target, frame);
  }
  const State to = close();
  return moves_[size_t(s) * a.classes + byte_class] = to;
}

Matcher::State Matcher::step_token(State s, int32_t token) {
  begin();
  const Automaton& a = *automaton_;
  for (const uint64_t word : states_.list(s).subspan(1)) {
    const auto [node, frame] = unpack(word);
    for (uint32_t e = a.nodes[node].tokens; e < a.nodes[node + 1].tokens; ++e)
      if ((a.token_edges[e].token == token) != a.token_edges[e].negated) push(a.token_edges[e].target, frame);
  }
  return close();
}

Matcher::State Matcher::unite(State a, State b) {
  if (a == kDead || a == b) return b;
  if (b == kDead) return a;
  begin();
  end_ = may_end(a) || may_end(b);
  for (const State s : {a, b}) {
    const auto words = states_.list(s).subspan(1);
    items_.insert(items_.end(), words.begin(), words.end());
  }
  return intern();
}

Matcher::State Matcher::alone(uint32_t node) {
  begin();
  items_.assign(1, pack(node, kOutside));
  return intern();
}

Matcher::State Matcher::after(Frame frame) {
  after_.resize(std::max<size_t>(after_.size(), frames_.size()), kUnknown);
  if (after_[frame] != kUnknown) return after_[frame];
  begin();
  leave(frame);
  const State s = close();
  return after_[frame] = s;
}

void Matcher::push(uint32_t node, Frame frame) {
  charge(1);
  if (seen_.insert(pack(node, frame))) todo_.push_back(pack(node, frame));
}

void Matcher::leave(Frame frame) {
  if (frame == kOutside) {
    end_ = true;
    return;
  }
  for (const uint64_t word : frames_.list(frame)) push(unpack(word).node, unpack(word).frame);
}

// A call in last place leaves nothing of its own behind: the called rule returns to where this one would.
void Matcher::call(const Automaton::CallEdge& edge, Frame frame) {
  std::vector<uint64_t>& list = calls_[edge.rule];
  if (list.empty()) called_.push({-int64_t(automaton_->rules[edge.rule].rank), edge.rule});
  if (automaton_->nodes[edge.target].only_accept && frame != kOutside) {
    const std::span<const uint64_t> words = frames_.list(frame);
    charge(words.size());
    list.insert(list.end(), words.begin(), words.end());
  } else {
    charge(1);
    list.push_back(pack(edge.target, frame));
  }
}

void Matcher::expand(uint32_t node, Frame frame) {
  const Automaton& a = *automaton_;
  const Automaton::Node &n = a.nodes[node], &next = a.nodes[node + 1];
  if (n.bytes != next.bytes || n.tokens != next.tokens) items_.push_back(pack(node, frame));
  if (n.accept) leave(frame);
  for (uint32_t e = n.calls; e < next.calls; ++e) call(a.call_edges[e], frame);
}

// Expands everything that waits; rules in their order, so that all callers of a rule are known when its frame is made.
Matcher::State Matcher::close() {
  while (true) {
    while (!todo_.empty()) {
      const auto [node, frame] = unpack(todo_.back());
      todo_.pop_back();
      expand(node, frame);
    }
    if (called_.empty()) return intern();
    const uint32_t rule = called_.top().second;
    called_.pop();
    std::vector<uint64_t>& list = calls_[rule];
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    const Frame frame = frames_.id(list);
    list.clear();
    expand(automaton_->rules[rule].start, frame);
  }
}

Matcher::State Matcher::intern() {
  if (items_.size() > kMostItems)
    fail(Code::unsupported, "the grammar is too ambiguous: a text can be read in more than %zu ways", kMostItems);
  std::sort(items_.begin(), items_.end());
  items_.erase(std::unique(items_.begin(), items_.end()), items_.end());
  items_.insert(items_.begin(), end_ ? 1 : 0);
  const State s = states_.id(items_);
  moves_.resize(states_.size() * automaton_->classes, kUnknown);
  items_.clear();
  end_ = false;
  return s;
}

// Every frame that the state needs, those inside before those that name them.
std::vector<Matcher::Frame> Matcher::frames_of(State s) const {
  std::vector<Frame> order;
  std::vector<uint8_t> seen(frames_.size(), 0);
  std::vector<std::pair<Frame, size_t>> path;
  seen[kOutside] = 1;
  const auto begin = [&](Frame f) {
    if (!seen[f]) seen[f] = 1, path.push_back({f, 0});
  };
  for (size_t i = 0; i < count(s); ++i) {
    begin(item(s, i).frame);
    while (!path.empty()) {
      auto& [frame, at] = path.back();
      const std::span<const uint64_t> words = frames_.list(frame);
      if (at < words.size()) {
        begin(unpack(words[at++]).frame);
      } else {
        order.push_back(frame);
        path.pop_back();
      }
    }
  }
  return order;
}

Matcher::State Matcher::compact(State s) {
  const std::vector<Frame> order = frames_of(s);
  const Interner states = std::move(states_), frames = std::move(frames_);
  const std::span<const uint64_t> old = states.list(s);
  clear();
  std::vector<Frame> renamed(frames.size(), kOutside);
  const auto rename = [&](uint64_t word) { return pack(unpack(word).node, renamed[unpack(word).frame]); };
  std::vector<uint64_t> list;
  for (const Frame f : order) {
    list.clear();
    for (const uint64_t word : frames.list(f)) list.push_back(rename(word));
    std::sort(list.begin(), list.end());
    renamed[f] = frames_.id(list);
  }
  end_ = old[0] != 0;
  for (const uint64_t word : old.subspan(1)) items_.push_back(rename(word));
  return intern();
}

}  // namespace loam
