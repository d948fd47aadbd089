// A grammar compiled to byte level: per rule a graph whose edges are bytes, calls of rules and whole tokens. Without
// empty moves, dead ends and left recursion, so that whoever runs it always gets on.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/text/grammar/grammar.h"

namespace loam {

struct Automaton {
  struct ByteEdge {
    uint8_t low, high;  // byte classes, both included
    uint32_t target;
  };
  struct CallEdge {
    uint32_t rule, target;  // where to go on when the rule is done
  };
  struct TokenEdge {
    int32_t token;
    bool negated;
    uint32_t target;
  };
  struct Node {
    uint32_t bytes, calls, tokens;  // where its edges begin; they end where those of the next node begin
    uint64_t kind;     // nodes of one kind read the same next kLongestToken bytes, as far as their rule goes
    bool accept;       // the rule may end here
    bool only_accept;  // and nothing else may happen
  };
  struct Rule {
    std::string name;
    uint32_t start, rank;  // a rule comes before those that it may begin with
    bool nullable;
  };
  // Counters of repetitions are told apart only this near to their end; longer tokens are matched without `kind`.
  static constexpr uint32_t kLongestToken = 32;

  std::vector<Node> nodes;  // and one that ends the last lists
  std::vector<ByteEdge> byte_edges;
  std::vector<CallEdge> call_edges;
  std::vector<TokenEdge> token_edges;
  std::vector<Rule> rules;
  std::array<uint8_t, 256> byte_class;
  uint32_t classes = 0;
  uint32_t root = 0;
};

// Fails where the grammar matches nothing, is too large when its repetitions are written out, or cannot be freed of
// left recursion.
Automaton compile_grammar(const Grammar& grammar);

}  // namespace loam
