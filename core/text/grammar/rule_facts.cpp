// Which rules may be empty, match anything at all, and are small enough to be written out where they are used.
#include <algorithm>

#include "core/text/grammar/automaton_builder.h"

namespace loam {
namespace {

constexpr uint32_t kInlineWeight = 32;
constexpr int kInlineDepth = 50;
constexpr uint32_t kWideClass = 128;

using Kind = Grammar::Kind;

// A property that holds for a rule once it holds for enough of its parts: the least fixed point.
class Spread {
 public:
  Spread(const Grammar& g, bool of_chars) : g_(g), of_chars_(of_chars), users_(g.rules().size()) {
    for (uint32_t r = 0; r < g.rules().size(); ++r) note_users(g.rules()[r].expr, r);
  }

  std::vector<uint8_t> run() {
    std::vector<uint32_t> work;
    for (uint32_t r = uint32_t(users_.size()); r-- > 0;) work.push_back(r);
    known_.assign(users_.size(), 0);
    while (!work.empty()) {
      const uint32_t r = work.back();
      work.pop_back();
      if (known_[r] || !holds(g_.rules()[r].expr)) continue;
      known_[r] = 1;
      work.insert(work.end(), users_[r].begin(), users_[r].end());
    }
    return std::move(known_);
  }

 private:
  void note_users(Grammar::Id id, uint32_t user) {
    const Grammar::Expr& e = g_.expr(id);
    if (e.kind == Kind::rule && (users_[size_t(e.number)].empty() || users_[size_t(e.number)].back() != user))
      users_[size_t(e.number)].push_back(user);
    for (const Grammar::Id part : e.parts) note_users(part, user);
  }

  bool holds(Grammar::Id id) const {
    const Grammar::Expr& e = g_.expr(id);
    const auto part_holds = [&](Grammar::Id part) { return holds(part); };
    switch (e.kind) {
      case Kind::chars: return of_chars_ && !e.ranges.empty();
      case Kind::token: return of_chars_;
      case Kind::rule: return known_[size_t(e.number)];
      case Kind::sequence: return std::all_of(e.parts.begin(), e.parts.end(), part_holds);
      case Kind::choice: return std::any_of(e.parts.begin(), e.parts.end(), part_holds);
      case Kind::repeat: return e.least == 0 || holds(e.parts[0]);
    }
    return false;
  }

  const Grammar& g_;
  bool of_chars_;
  std::vector<std::vector<uint32_t>> users_;
  std::vector<uint8_t> known_;
};

class Weights {
 public:
  explicit Weights(const Grammar& g) : g_(g), weights_(g.rules().size(), kUnknown) {}

  std::vector<uint8_t> small() {
    std::vector<uint8_t> out(weights_.size());
    for (uint32_t r = 0; r < out.size(); ++r) out[r] = of_rule(r) <= kInlineWeight;
    return out;
  }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX, kTooLarge = kInlineWeight + 1;

  uint32_t of_rule(uint32_t r) {
    if (weights_[r] != kUnknown) return weights_[r];
    weights_[r] = kTooLarge;  // for those that refer to themselves
    if (depth_ >= kInlineDepth) return kTooLarge;
    ++depth_;
    const uint32_t weight = of(g_.rules()[r].expr);
    --depth_;
    return weights_[r] = weight;
  }

  uint32_t of(Grammar::Id id) {
    const Grammar::Expr& e = g_.expr(id);
    if (e.kind == Kind::rule) return of_rule(uint32_t(e.number));
    uint64_t weight = 1;
    for (const Grammar::Id part : e.parts) {
      weight += of(part);
      if (weight > kInlineWeight) return kTooLarge;
    }
    if (e.kind != Kind::repeat) return uint32_t(weight);
    // A loop over many characters is better shared by all its users: its token mask is costly.
    if (e.most == Grammar::kNoLimit && wide(e.parts[0])) return kTooLarge;
    weight *= std::max<uint64_t>(1, e.most == Grammar::kNoLimit ? uint64_t(e.least) + 1 : e.most);
    return uint32_t(std::min<uint64_t>(weight, kTooLarge));
  }

  bool wide(Grammar::Id id) {
    const Grammar::Expr& e = g_.expr(id);
    uint64_t count = 0;
    for (const CharRange r : e.ranges) count += r.high - r.low + 1;
    if (count >= kWideClass || e.kind == Kind::rule || e.kind == Kind::token) return true;
    return std::any_of(e.parts.begin(), e.parts.end(), [&](Grammar::Id part) { return wide(part); });
  }

  const Grammar& g_;
  std::vector<uint32_t> weights_;
  int depth_ = 0;
};

}  // namespace

RuleFacts find_rule_facts(const Grammar& grammar) {
  return {Spread(grammar, false).run(), Spread(grammar, true).run(), Weights(grammar).small()};
}

}  // namespace loam
