// Random grammars in GBNF over a few letters, for the tests of grammars.
#pragma once
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text/unicode.h"

namespace loam::tests {

inline bool full() { return std::getenv("LOAM_TEST_FULL") != nullptr; }

inline bool too_ambiguous(const Error& e) {
  return std::string_view(e.what()).find("too ambiguous") != std::string_view::npos;
}

inline const std::vector<uint32_t> kLetters{'a', 'b', 'c', 0xE9, 0x20AC, 0x1D11E};

class RandomGrammar {
 public:
  explicit RandomGrammar(std::mt19937_64& random) : random_(random) {}

  std::string make(size_t tokens = 0) {
    tokens_ = tokens;
    rules_ = 1 + pick(4);
    std::string text = "root ::= " + choice(3) + "\n";
    for (size_t r = 1; r < rules_; ++r) text += name(r) + " ::= " + choice(3) + " # rule\n";
    return text;
  }

 private:
  size_t pick(size_t n) { return random_() % n; }
  static std::string name(size_t r) { return r ? "r-" + std::to_string(r) : "root"; }
  std::string letter() {
    std::string out;
    append_utf8(out, kLetters[pick(kLetters.size())]);
    return out;
  }

  std::string choice(int depth) {
    std::string out = sequence(depth);
    while (pick(3) == 0) out += " | " + sequence(depth);
    return out;
  }
  std::string sequence(int depth) {
    std::string out;
    for (size_t n = pick(4); n-- > 0;) out += (out.empty() ? "" : " ") + atom(depth);
    return out.empty() ? "\"\"" : out;
  }
  std::string atom(int depth) {
    static const char* const kRepeats[] = {"",    "",      "",      "",     "*",      "+",     "?",
                                           "{2}", "{1,3}", "{0,2}", "{2,}", "{0,40}", "{3,36}"};
    std::string out;
    const size_t kind = pick(tokens_ ? 9 : 8);
    if (kind < 3)
      out = "\"" + letter() + (pick(3) ? "" : letter()) + "\"";
    else if (kind == 3)
      out = pick(3) ? "[" + letter() + letter() + "]" : pick(2) ? "[^" + letter() + "]" : ".";
    else if (kind == 4)
      out = "[a-" + letter() + "]";
    else if (kind < 7 || depth == 0)
      out = name(pick(rules_));
    else if (kind == 7)
      out = "(" + choice(depth - 1) + ")";
    else
      out = std::string(pick(2) ? "" : "!") + "<[" + std::to_string(pick(tokens_)) + "]>";
    return out + kRepeats[pick(std::size(kRepeats))];
  }

  std::mt19937_64& random_;
  size_t rules_ = 1, tokens_ = 0;
};

}  // namespace loam::tests
