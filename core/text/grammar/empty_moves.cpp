// Each node takes over what can be reached from it without reading; rules that may be empty are skipped on the way.
#include <algorithm>

#include "core/text/grammar/automaton_builder.h"

namespace loam {
namespace {

class Closer {
 public:
  Closer(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar)
      : old_(graph),
        facts_(facts),
        grammar_(grammar),
        index_(graph.nodes.size(), StateGraph::kNone),
        seen_(graph.nodes.size(), 0) {
    // Chains of optional parts grow with their square, and with them every step of a text.
    for (const GraphNode& n : graph.nodes) most_edges_ += 4 * n.edges.size();
  }

  void run() {
    StateGraph result;
    for (const uint32_t start : old_.starts)
      result.starts.push_back(start == StateGraph::kNone ? start : index_of(start));
    for (size_t i = 0; i < order_.size(); ++i) result.nodes.push_back(close(order_[i]));
    // The callers of a rule that may be empty go round it, so that its start itself ends nothing.
    for (const uint32_t start : result.starts)
      if (start != StateGraph::kNone) result.nodes[start].accept = false;
    old_ = std::move(result);
  }

 private:
  uint32_t index_of(uint32_t node) {
    if (index_[node] == StateGraph::kNone) {
      index_[node] = uint32_t(order_.size());
      order_.push_back(node);
    }
    return index_[node];
  }

  GraphNode close(uint32_t node) {
    GraphNode out{{}, old_.nodes[node].kind, false};
    ++round_;
    work_.assign(1, node);
    seen_[node] = round_;
    while (!work_.empty()) {
      const GraphNode& at = old_.nodes[work_.back()];
      work_.pop_back();
      out.accept = out.accept || at.accept;
      for (const GraphEdge& e : at.edges) follow(e, out);
    }
    std::sort(out.edges.begin(), out.edges.end());
    out.edges.erase(std::unique(out.edges.begin(), out.edges.end()), out.edges.end());
    edges_ += out.edges.size();
    if (edges_ > most_edges_) fail_too_large(grammar_, grammar_.root);
    return out;
  }

  void follow(const GraphEdge& e, GraphNode& out) {
    if (++steps_ > kMostSteps) fail_too_large(grammar_, grammar_.root);
    const bool skips = e.kind == GraphEdge::Kind::call && facts_.nullable[e.label];
    if ((e.kind == GraphEdge::Kind::empty || skips) && seen_[e.target] != round_) {
      seen_[e.target] = round_;
      work_.push_back(e.target);
    }
    if (e.kind == GraphEdge::Kind::empty) return;
    out.edges.push_back(e);
    out.edges.back().target = index_of(e.target);
  }

  static constexpr uint64_t kMostSteps = 20'000'000;
  StateGraph& old_;
  const RuleFacts& facts_;
  const Grammar& grammar_;
  std::vector<uint32_t> index_, seen_, order_, work_;
  uint32_t round_ = 0;
  uint64_t edges_ = 0, steps_ = 0, most_edges_ = 200'000;
};

}  // namespace

void remove_empty_moves(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar) {
  Closer(graph, facts, grammar).run();
}

void remove_dead_ends(StateGraph& graph) {
  std::vector<std::vector<uint32_t>> sources(graph.nodes.size());
  std::vector<uint8_t> alive(graph.nodes.size(), 0);
  std::vector<uint32_t> work;
  for (uint32_t n = 0; n < graph.nodes.size(); ++n) {
    for (const GraphEdge& e : graph.nodes[n].edges) sources[e.target].push_back(n);
    if (!graph.nodes[n].accept) continue;
    alive[n] = 1;
    work.push_back(n);
  }
  while (!work.empty()) {
    const uint32_t n = work.back();
    work.pop_back();
    for (const uint32_t source : sources[n]) {
      if (alive[source]) continue;
      alive[source] = 1;
      work.push_back(source);
    }
  }
  for (GraphNode& n : graph.nodes) std::erase_if(n.edges, [&](const GraphEdge& e) { return !alive[e.target]; });
}

}  // namespace loam
