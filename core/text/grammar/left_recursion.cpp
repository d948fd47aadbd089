// Left recursion becomes repetition: A = A x | y is y x*, on the graphs; indirect left recursion is made direct by
// writing rules out where others begin with them (Paull's order).
#include <algorithm>
#include <set>

#include "core/text/grammar/automaton_builder.h"

namespace loam {
namespace {

using Edges = std::vector<GraphEdge>;

void unite(Edges& edges, const Edges& more) {
  edges.insert(edges.end(), more.begin(), more.end());
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
}

class LeftRecursion {
 public:
  LeftRecursion(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar)
      : graph_(graph), facts_(facts), grammar_(grammar) {}

  void remove() {
    for (const std::vector<uint32_t>& cycle : cycles()) {
      for (size_t i = 0; i < cycle.size(); ++i) {
        for (size_t j = 0; j < i; ++j) write_out(cycle[i], cycle[j]);
        remove_direct(cycle[i]);
      }
    }
  }

 private:
  static bool calls(const GraphEdge& e, uint32_t rule) { return e.kind == GraphEdge::Kind::call && e.label == rule; }
  Edges& start_edges(uint32_t rule) { return graph_.nodes[graph_.starts[rule]].edges; }

  void charge(size_t edges) {
    edges_ += edges;
    if (edges_ > StateGraph::kMostEdges || graph_.nodes.size() > StateGraph::kMostNodes)
      fail(Code::unsupported, "rule %.80s is left-recursive in a way that becomes too large: write it as a repetition",
           grammar_.rules()[rule_].name.c_str());
  }

  // The nodes that can be reached from the targets of these edges.
  std::vector<uint32_t> reach(const Edges& edges) {
    std::vector<uint32_t> out;
    std::set<uint32_t> seen;
    const auto visit = [&](const Edges& list) {
      for (const GraphEdge& e : list)
        if (seen.insert(e.target).second) out.push_back(e.target);
    };
    visit(edges);
    for (size_t i = 0; i < out.size(); ++i) visit(graph_.nodes[out[i]].edges);
    return out;
  }

  void remove_direct(uint32_t rule) {
    rule_ = rule;
    Edges& start = start_edges(rule);
    std::vector<uint32_t> nexts;  // what may follow the rule inside itself
    Edges loop;
    const auto add_nexts = [&](const Edges& edges) {
      for (const GraphEdge& e : edges)
        if (calls(e, rule) && std::find(nexts.begin(), nexts.end(), e.target) == nexts.end()) nexts.push_back(e.target);
    };
    add_nexts(start);
    if (nexts.empty()) return;
    for (size_t i = 0; i < nexts.size(); ++i) {
      unite(loop, graph_.nodes[nexts[i]].edges);
      charge(loop.size());
      if (facts_.nullable[rule]) add_nexts(loop);
    }
    if (facts_.nullable[rule]) unite(start, loop);
    std::erase_if(start, [&](const GraphEdge& e) { return calls(e, rule); });
    Edges all = start;
    unite(all, loop);
    for (const uint32_t n : reach(all)) {
      if (!graph_.nodes[n].accept) continue;
      unite(graph_.nodes[n].edges, loop);
      charge(loop.size());
    }
  }

  // Where `rule` begins with `other`, it gets a copy of its graph.
  void write_out(uint32_t rule, uint32_t other) {
    rule_ = rule;
    Edges called;
    for (const GraphEdge& e : start_edges(rule))
      if (calls(e, other)) called.push_back(e);
    if (called.empty()) return;
    std::erase_if(start_edges(rule), [&](const GraphEdge& e) { return calls(e, other); });
    for (const GraphEdge& call : called) {
      const GraphNode next = graph_.nodes[call.target];
      const std::vector<uint32_t> nodes = reach(start_edges(other));
      std::map<uint32_t, uint32_t> copy;
      for (const uint32_t n : nodes) copy.emplace(n, uint32_t(graph_.nodes.size() + copy.size()));
      const auto copied = [&](Edges edges) {
        for (GraphEdge& e : edges) e.target = copy.at(e.target);
        charge(edges.size() + 1);
        return edges;
      };
      for (const uint32_t n : nodes) {
        GraphNode node{copied(graph_.nodes[n].edges), mix_kinds(graph_.nodes[n].kind, ++copies_),
                       graph_.nodes[n].accept};
        if (node.accept) {
          unite(node.edges, next.edges);
          charge(next.edges.size());
          node.accept = next.accept;
        }
        graph_.nodes.push_back(std::move(node));
      }
      unite(start_edges(rule), copied(start_edges(other)));
    }
  }

  // Sets of rules that begin with each other (Tarjan, without recursion).
  std::vector<std::vector<uint32_t>> cycles() {
    const size_t count = graph_.starts.size();
    std::vector<std::vector<uint32_t>> out;
    std::vector<uint32_t> number(count, 0), low(count, 0), stack;
    std::vector<uint8_t> on_stack(count, 0);
    std::vector<std::pair<uint32_t, size_t>> path;
    uint32_t next = 0;
    for (uint32_t root = 0; root < count; ++root) {
      if (graph_.starts[root] == StateGraph::kNone || number[root]) continue;
      path.push_back({root, 0});
      while (!path.empty()) {
        const uint32_t r = path.back().first;
        if (!number[r]) number[r] = low[r] = ++next, stack.push_back(r), on_stack[r] = 1;
        const Edges& edges = start_edges(r);
        if (path.back().second < edges.size()) {
          const GraphEdge& e = edges[path.back().second++];
          if (e.kind != GraphEdge::Kind::call) continue;
          if (!number[e.label])
            path.push_back({e.label, 0});
          else if (on_stack[e.label])
            low[r] = std::min(low[r], number[e.label]);
          continue;
        }
        path.pop_back();
        if (!path.empty()) low[path.back().first] = std::min(low[path.back().first], low[r]);
        if (low[r] != number[r]) continue;
        out.emplace_back();
        uint32_t member;
        do {
          member = stack.back();
          stack.pop_back();
          on_stack[member] = 0;
          out.back().push_back(member);
        } while (member != r);
      }
    }
    return out;
  }

  StateGraph& graph_;
  const RuleFacts& facts_;
  const Grammar& grammar_;
  uint32_t rule_ = 0;
  uint64_t copies_ = 0;
  size_t edges_ = 0;
};

}  // namespace

void remove_left_recursion(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar) {
  LeftRecursion(graph, facts, grammar).remove();
}

}  // namespace loam
