// Rules -> graphs with empty moves (Thompson's construction), characters as their UTF-8 bytes.
#include <algorithm>
#include <array>

#include "core/text/grammar/automaton_builder.h"

namespace loam {
namespace {

using Kind = Grammar::Kind;
using ByteRange = std::pair<uint8_t, uint8_t>;

// Cuts a range of code points into ranges of byte sequences of one length each.
class Utf8Cutter {
 public:
  std::vector<std::vector<ByteRange>> cut(const std::vector<CharRange>& ranges) {
    for (const CharRange r : ranges) {
      uint32_t low = r.low;
      for (const uint32_t last : {0x7Fu, 0x7FFu, 0xFFFFu, 0x10FFFFu}) {
        if (low > last) continue;
        same_length(low, std::min(r.high, last), last == 0x7F ? 1 : last == 0x7FF ? 2 : last == 0xFFFF ? 3 : 4);
        if (r.high <= last) break;
        low = last + 1;
      }
    }
    return std::move(out_);
  }

 private:
  static std::array<uint8_t, 4> encode(uint32_t code, int length) {
    static constexpr uint8_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    std::array<uint8_t, 4> bytes{};
    for (int i = length; i-- > 1; code >>= 6) bytes[size_t(i)] = uint8_t(0x80 | (code & 0x3F));
    bytes[0] = uint8_t(kLead[length] | code);
    return bytes;
  }

  void same_length(uint32_t low, uint32_t high, int length) {
    for (int i = 1; i < length; ++i) {
      const uint32_t mask = (1u << (6 * i)) - 1;
      if ((low & ~mask) == (high & ~mask)) continue;
      if (low & mask) {
        same_length(low, low | mask, length);
        return same_length((low | mask) + 1, high, length);
      }
      if ((high & mask) != mask) {
        same_length(low, (high & ~mask) - 1, length);
        return same_length(high & ~mask, high, length);
      }
    }
    const auto a = encode(low, length), b = encode(high, length);
    std::vector<ByteRange> bytes;
    for (size_t i = 0; i < size_t(length); ++i) bytes.push_back({a[i], b[i]});
    out_.push_back(std::move(bytes));
  }

  std::vector<std::vector<ByteRange>> out_;
};

class GraphMaker {
 public:
  GraphMaker(const Grammar& g, const RuleFacts& facts) : g_(g), facts_(facts) {
    graph_.starts.assign(g.rules().size(), StateGraph::kNone);
  }

  StateGraph make() {
    want(g_.root);
    while (!wanted_.empty()) {
      rule_ = wanted_.back();
      wanted_.pop_back();
      const uint64_t context = mix_kinds(0, rule_);
      const uint32_t end = node(mix_kinds(context, 1)), first = node(mix_kinds(context, 2));
      graph_.nodes[end].accept = true;
      add(graph_.starts[rule_], {GraphEdge::Kind::empty, 0, 0, 0, first});
      emit(g_.rules()[rule_].expr, first, end, context);
    }
    return std::move(graph_);
  }

 private:
  void want(uint32_t rule) {
    if (graph_.starts[rule] != StateGraph::kNone) return;
    graph_.starts[rule] = node(mix_kinds(3, rule));
    wanted_.push_back(rule);
  }

  uint32_t node(uint64_t kind) {
    if (graph_.nodes.size() >= StateGraph::kMostNodes) fail_too_large(g_, rule_);
    graph_.nodes.push_back({{}, kind, false});
    return uint32_t(graph_.nodes.size() - 1);
  }

  void add(uint32_t from, GraphEdge edge) {
    if (++edges_ > StateGraph::kMostEdges) fail_too_large(g_, rule_);
    graph_.nodes[from].edges.push_back(edge);
  }

  // Whether a text of the language of `id` exists; parts without one are left out.
  bool productive(Grammar::Id id) const {
    const Grammar::Expr& e = g_.expr(id);
    return e.kind == Kind::rule ? facts_.productive[size_t(e.number)] != 0 : e.kind != Kind::chars || !e.ranges.empty();
  }

  bool nullable(Grammar::Id id) const {
    const Grammar::Expr& e = g_.expr(id);
    const auto part_is = [&](Grammar::Id part) { return nullable(part); };
    if (e.kind == Kind::rule) return facts_.nullable[size_t(e.number)];
    if (e.kind == Kind::sequence) return std::all_of(e.parts.begin(), e.parts.end(), part_is);
    if (e.kind == Kind::choice) return std::any_of(e.parts.begin(), e.parts.end(), part_is);
    return e.kind == Kind::repeat && (e.least == 0 || nullable(e.parts[0]));
  }

  // Everything that `id` matches leads from one node to another. Nodes made with the same context and place are alike.
  void emit(Grammar::Id id, uint32_t from, uint32_t to, uint64_t context) {
    if (++emitted_ > StateGraph::kMostEdges) fail_too_large(g_, rule_);
    if (!productive(id)) return;
    const Grammar::Expr& e = g_.expr(id);
    const uint64_t here = mix_kinds(context, id);
    if (e.kind == Kind::chars) return emit_chars(e, from, to, here);
    if (e.kind == Kind::sequence) return emit_sequence(e, from, to, here);
    if (e.kind == Kind::repeat) return emit_repeat(e, from, to, here);
    if (e.kind == Kind::token) {
      const auto kind = e.negated ? GraphEdge::Kind::other_token : GraphEdge::Kind::token;
      return add(from, {kind, 0, 0, uint32_t(e.number), to});
    }
    if (e.kind == Kind::choice) {
      for (size_t i = 0; i < e.parts.size(); ++i) emit(e.parts[i], from, to, mix_kinds(here, i));
      return;
    }
    const auto rule = uint32_t(e.number);
    if (facts_.inlined[rule]) return emit(g_.rules()[rule].expr, from, to, here);
    want(rule);
    add(from, {GraphEdge::Kind::call, 0, 0, rule, to});
  }

  void emit_sequence(const Grammar::Expr& e, uint32_t from, uint32_t to, uint64_t here) {
    if (e.parts.empty()) return add(from, {GraphEdge::Kind::empty, 0, 0, 0, to});
    for (size_t i = 0; i < e.parts.size(); ++i) {
      const uint64_t place = mix_kinds(here, i);
      const uint32_t next = i + 1 == e.parts.size() ? to : node(mix_kinds(place, 1));
      emit(e.parts[i], from, next, place);
      from = next;
    }
  }

  void emit_repeat(const Grammar::Expr& e, uint32_t from, uint32_t to, uint64_t here) {
    const bool endless = e.most == Grammar::kNoLimit;
    const uint32_t least = nullable(e.parts[0]) ? 0 : e.least;  // empty rounds count
    const auto far = [](uint32_t n) { return std::min(n, Automaton::kLongestToken + 1); };
    for (uint32_t i = 0; i < (endless ? least : e.most); ++i) {
      const uint64_t place =
          mix_kinds(mix_kinds(here, far(least - std::min(i, least))), endless ? 99 : far(e.most - i));
      if (i >= least) add(from, {GraphEdge::Kind::empty, 0, 0, 0, to});
      const uint32_t next = node(mix_kinds(place, 1));
      emit(e.parts[0], from, next, place);
      from = next;
    }
    if (!endless) return add(from, {GraphEdge::Kind::empty, 0, 0, 0, to});
    const uint32_t loop = node(mix_kinds(here, 2));
    add(from, {GraphEdge::Kind::empty, 0, 0, 0, loop});
    emit(e.parts[0], loop, loop, mix_kinds(here, 3));
    add(loop, {GraphEdge::Kind::empty, 0, 0, 0, to});
  }

  // Byte sequences that end alike share the nodes of their ends.
  void emit_chars(const Grammar::Expr& e, uint32_t from, uint32_t to, uint64_t here) {
    std::map<std::tuple<uint8_t, uint8_t, uint32_t>, uint32_t> tails;
    for (const std::vector<ByteRange>& bytes : Utf8Cutter().cut(e.ranges)) {
      uint32_t target = to;
      for (size_t i = bytes.size(); i-- > 1;) {
        const auto [low, high] = bytes[i];
        const auto [tail, is_new] = tails.try_emplace({low, high, target}, 0);
        if (is_new) {
          tail->second = node(mix_kinds(here, tails.size()));
          add(tail->second, {GraphEdge::Kind::byte, low, high, 0, target});
        }
        target = tail->second;
      }
      add(from, {GraphEdge::Kind::byte, bytes[0].first, bytes[0].second, 0, target});
    }
  }

  const Grammar& g_;
  const RuleFacts& facts_;
  StateGraph graph_;
  std::vector<uint32_t> wanted_;
  uint32_t rule_ = 0;
  size_t edges_ = 0, emitted_ = 0;
};

}  // namespace

StateGraph make_graph(const Grammar& grammar, const RuleFacts& facts) { return GraphMaker(grammar, facts).make(); }

}  // namespace loam
