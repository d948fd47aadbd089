// Runs an Automaton over bytes. A state is the set of all places where a text may be, each with a frame that says where
// the rules around it go on; states and frames are kept once, so that ambiguous grammars stay polynomial and moves can
// be remembered.
#pragma once
#include <memory>
#include <queue>

#include "core/text/grammar/automaton.h"
#include "core/text/grammar/interner.h"

namespace loam {

class Matcher {
 public:
  using State = uint32_t;
  using Frame = uint32_t;
  static constexpr State kDead = 0;     // nothing may come, not even the end
  static constexpr Frame kOutside = 0;  // the frame of the root rule: the text may end
  struct Item {
    uint32_t node;
    Frame frame;
  };

  explicit Matcher(std::shared_ptr<const Automaton> automaton);

  const Automaton& automaton() const { return *automaton_; }
  State start();
  State step(State s, uint8_t byte) {
    const uint32_t byte_class = automaton_->byte_class[byte];
    const State known = moves_[size_t(s) * automaton_->classes + byte_class];
    return known != kUnknown ? known : find_step(s, byte_class);
  }
  State step(State s, std::string_view bytes);
  // Along the edges that ask for whole tokens.
  State step_token(State s, int32_t token);
  State unite(State a, State b);
  // As if the rule of this node were the root.
  State alone(uint32_t node);
  // What follows when the rule of a frame is done.
  State after(Frame frame);

  bool may_end(State s) const { return states_.list(s)[0] != 0; }
  bool may_go_on(State s) const { return states_.list(s).size() > 1; }
  size_t count(State s) const { return states_.list(s).size() - 1; }
  Item item(State s, size_t i) const { return unpack(states_.list(s)[i + 1]); }

  // Each public call of a user gets a budget; beyond it steps are an Error.
  void start_work() { work_ = 0; }
  void charge(uint64_t work);
  size_t bytes() const { return states_.bytes() + frames_.bytes() + moves_.size() * 4 + after_.size() * 4; }
  // Forgets all states and frames but those of `s`, which gets the id that is returned.
  State compact(State s);

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  static uint64_t pack(uint32_t node, Frame frame) { return uint64_t(node) << 32 | frame; }
  static Item unpack(uint64_t word) { return {uint32_t(word >> 32), Frame(word)}; }
  void clear();
  void begin();
  State find_step(State s, uint32_t byte_class);
  void push(uint32_t node, Frame frame);
  void leave(Frame frame);
  void call(const Automaton::CallEdge& edge, Frame frame);
  void expand(uint32_t node, Frame frame);
  State close();
  State intern();
  std::vector<Frame> frames_of(State s) const;

  std::shared_ptr<const Automaton> automaton_;
  Interner states_, frames_;  // state: may_end, items ...; frame: items ...
  std::vector<State> moves_;  // (states, classes)
  std::vector<State> after_;  // (frames)
  uint64_t work_ = 0;

  // while a state is made
  std::vector<uint64_t> todo_, items_;
  WordSet seen_;
  bool end_ = false;
  std::vector<std::vector<uint64_t>> calls_;                  // per rule: what its frame will hold
  std::priority_queue<std::pair<int64_t, uint32_t>> called_;  // (-rank, rule)
};

}  // namespace loam
