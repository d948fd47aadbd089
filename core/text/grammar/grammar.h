// A grammar as rules over characters and tokens: what GBNF texts and JSON schemas become, and what an Automaton is made
// of.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loam {

struct CharRange {
  uint32_t low, high;  // code points, both included
};

class Grammar {
 public:
  using Id = uint32_t;  // of an expression
  static constexpr uint32_t kNoLimit = UINT32_MAX;
  enum class Kind : uint8_t { chars, sequence, choice, repeat, rule, token };

  struct Expr {
    Kind kind;
    bool negated = false;           // token: any other one
    uint32_t least = 0, most = 0;   // repeat
    int32_t number = -1;            // token: its id; rule: its index
    std::vector<Id> parts;          // sequence, choice; repeat: one
    std::vector<CharRange> ranges;  // chars: sorted, apart, without surrogates
  };
  struct Rule {
    std::string name;
    Id expr = 0;
    bool defined = false;
  };

  Id chars(std::vector<CharRange> ranges);
  Id one_char(uint32_t code) { return chars({{code, code}}); }
  Id text(std::string_view utf8);
  Id empty() { return sequence({}); }
  Id nothing() { return choice({}); }  // matches no text, not even the empty one
  Id sequence(std::vector<Id> parts);
  Id choice(std::vector<Id> parts);
  Id repeat(Id part, uint32_t least, uint32_t most);
  Id optional(Id part) { return repeat(part, 0, 1); }
  Id rule(uint32_t index);
  Id token(int32_t id, bool negated);

  uint32_t add_rule(std::string name);
  void define(uint32_t rule_index, Id expr);

  const Expr& expr(Id id) const { return exprs_[id]; }
  const std::vector<Rule>& rules() const { return rules_; }
  size_t size() const { return exprs_.size(); }
  uint32_t root = 0;  // index of a rule

 private:
  Id add(Expr expr);
  std::vector<Expr> exprs_;
  std::vector<Rule> rules_;
};

// All code points but these.
std::vector<CharRange> other_chars(std::vector<CharRange> ranges);

// Reads llama.cpp's grammar notation. Errors name line and column. `vocab` turns <token> into an id (null: such
// references are an error).
class TokenNames {
 public:
  virtual ~TokenNames() = default;
  virtual int32_t find(std::string_view text) const = 0;  // -1: none
  virtual int32_t size() const = 0;
};
Grammar parse_gbnf(std::string_view text, const TokenNames* vocab = nullptr);

}  // namespace loam
