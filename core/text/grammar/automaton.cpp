#include "core/text/grammar/automaton.h"

#include <algorithm>

#include "core/text/grammar/automaton_builder.h"

namespace loam {
namespace {

using Kind = GraphEdge::Kind;

// Bytes that no edge tells apart share a class.
void set_byte_classes(const StateGraph& graph, Automaton& a) {
  std::array<bool, 257> cut{};
  for (const GraphNode& n : graph.nodes)
    for (const GraphEdge& e : n.edges)
      if (e.kind == Kind::byte) cut[e.low] = cut[e.high + 1u] = true;
  uint32_t current = 0;
  for (size_t b = 0; b < 256; ++b) {
    if (b && cut[b]) ++current;
    a.byte_class[b] = uint8_t(current);
  }
  a.classes = current + 1;
}

void add_edges(const GraphNode& n, const std::vector<uint32_t>& index, Automaton& a) {
  a.nodes.push_back({uint32_t(a.byte_edges.size()), uint32_t(a.call_edges.size()), uint32_t(a.token_edges.size()),
                     n.kind, n.accept, n.accept && n.edges.empty()});
  for (const GraphEdge& e : n.edges) {
    const uint32_t target = index[e.target];
    if (e.kind == Kind::byte)
      a.byte_edges.push_back({a.byte_class[e.low], a.byte_class[e.high], target});
    else if (e.kind == Kind::call)
      a.call_edges.push_back({e.label, target});
    else
      a.token_edges.push_back({int32_t(e.label), e.kind == Kind::other_token, target});
  }
}

// Rules in an order where each comes before those that it begins with. There are no cycles any more.
void set_ranks(Automaton& a) {
  std::vector<uint8_t> seen(a.rules.size(), 0);
  std::vector<std::pair<uint32_t, uint32_t>> path;  // rule, its next call
  uint32_t rank = uint32_t(a.rules.size());
  const auto begin = [&](uint32_t rule) {
    if (seen[rule] || a.rules[rule].start == StateGraph::kNone) return;
    seen[rule] = 1;
    path.push_back({rule, a.nodes[a.rules[rule].start].calls});
  };
  for (uint32_t root = 0; root < a.rules.size(); ++root) {
    begin(root);
    while (!path.empty()) {
      const uint32_t rule = path.back().first;
      if (path.back().second < a.nodes[a.rules[rule].start + 1].calls) {
        begin(a.call_edges[path.back().second++].rule);
      } else {
        a.rules[rule].rank = --rank;
        path.pop_back();
      }
    }
  }
}

// Copies what can be reached from the starts.
void flatten(const StateGraph& graph, const Grammar& grammar, const RuleFacts& facts, Automaton& a) {
  std::vector<uint32_t> index(graph.nodes.size(), StateGraph::kNone), order;
  const auto want = [&](uint32_t node) {
    if (index[node] != StateGraph::kNone) return;
    index[node] = uint32_t(order.size());
    order.push_back(node);
  };
  for (size_t r = 0; r < graph.starts.size(); ++r) {
    if (graph.starts[r] != StateGraph::kNone) want(graph.starts[r]);
    a.rules.push_back({grammar.rules()[r].name,
                       graph.starts[r] == StateGraph::kNone ? StateGraph::kNone : index[graph.starts[r]], 0,
                       facts.nullable[r] != 0});
  }
  for (size_t i = 0; i < order.size(); ++i)
    for (const GraphEdge& e : graph.nodes[order[i]].edges) want(e.target);
  for (const uint32_t n : order) add_edges(graph.nodes[n], index, a);
  add_edges({{}, 0, false}, index, a);  // ends the last lists
}

}  // namespace

Automaton compile_grammar(const Grammar& grammar) {
  const RuleFacts facts = find_rule_facts(grammar);
  const std::string& root = grammar.rules()[grammar.root].name;
  if (!facts.productive[grammar.root])
    fail(Code::bad_argument, "the grammar matches no text: rule %.80s cannot end", root.c_str());
  StateGraph graph = make_graph(grammar, facts);
  remove_empty_moves(graph, facts, grammar);
  remove_left_recursion(graph, facts, grammar);
  remove_dead_ends(graph);
  Automaton a;
  set_byte_classes(graph, a);
  flatten(graph, grammar, facts, a);
  set_ranks(a);
  a.root = grammar.root;
  return a;
}

}  // namespace loam
