// The steps of compile_grammar, in order, on a graph with a list of edges per node.
#pragma once
#include <map>
#include <tuple>

#include "core/error.h"
#include "core/text/grammar/automaton.h"

namespace loam {

struct GraphEdge {
  enum class Kind : uint8_t { empty, byte, call, token, other_token };
  Kind kind;
  uint8_t low = 0, high = 0;  // byte
  uint32_t label = 0;         // call: rule; token: id
  uint32_t target = 0;
  auto operator<=>(const GraphEdge&) const = default;
};

struct GraphNode {
  std::vector<GraphEdge> edges;
  uint64_t kind;
  bool accept = false;
};

struct StateGraph {
  static constexpr size_t kMostNodes = 400'000, kMostEdges = 3'000'000;
  std::vector<GraphNode> nodes;
  std::vector<uint32_t> starts;  // of rules; kNone: not reachable from the root
  static constexpr uint32_t kNone = UINT32_MAX;
};

// What is known of each rule before its graph is made.
struct RuleFacts {
  std::vector<uint8_t> nullable, productive, inlined;
};
RuleFacts find_rule_facts(const Grammar& grammar);

StateGraph make_graph(const Grammar& grammar, const RuleFacts& facts);
void remove_empty_moves(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar);
void remove_left_recursion(StateGraph& graph, const RuleFacts& facts, const Grammar& grammar);
void remove_dead_ends(StateGraph& graph);

inline uint64_t mix_kinds(uint64_t a, uint64_t b) {
  uint64_t h = (a ^ (b + 0x9E3779B97F4A7C15u + (a << 6) + (a >> 2))) * 0xD6E8FEB86659FD93u;
  h ^= h >> 32;
  return h * 0xD6E8FEB86659FD93u;
}

[[noreturn]] inline void fail_too_large(const Grammar& grammar, uint32_t rule) {
  fail(Code::unsupported, "the grammar becomes too large in rule %.80s: use fewer or smaller counted repetitions",
       grammar.rules()[rule].name.c_str());
}

}  // namespace loam
