// Grammars: the automaton against a plain definition, the notation and its errors, hostile input.
#include <doctest/doctest.h>

#include <chrono>

#include "core/error.h"
#include "core/text/grammar/grammar_constraint.h"
#include "tests/random_grammar.h"

namespace {

using namespace loam;
using namespace loam::tests;
using Kind = Grammar::Kind;

// What a grammar means: for each part and place in the text, the places where it may end; repeated until nothing is
// added any more, so that every kind of recursion has its least solution.
class Definition {
 public:
  Definition(const Grammar& g, const std::vector<uint32_t>& text)
      : g_(g), text_(text), ends_(g.size(), std::vector<uint64_t>(text.size() + 1, 0)) {}

  bool fits() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Grammar::Id id = 0; id < g_.size(); ++id)
        for (size_t at = 0; at <= text_.size(); ++at) {
          const uint64_t now = ends_[id][at] | find(g_.expr(id), at);
          changed = changed || now != ends_[id][at];
          ends_[id][at] = now;
        }
    }
    return ends_[g_.rules()[g_.root].expr][0] >> text_.size() & 1;
  }

 private:
  uint64_t then(uint64_t places, Grammar::Id id) const {
    uint64_t out = 0;
    for (size_t at = 0; at <= text_.size(); ++at)
      if (places >> at & 1) out |= ends_[id][at];
    return out;
  }

  uint64_t find(const Grammar::Expr& e, size_t at) const {
    uint64_t places = uint64_t(1) << at;
    if (e.kind == Kind::rule) return ends_[g_.rules()[size_t(e.number)].expr][at];
    if (e.kind == Kind::sequence) {
      for (const Grammar::Id part : e.parts) places = then(places, part);
      return places;
    }
    if (e.kind == Kind::choice) {
      uint64_t out = 0;
      for (const Grammar::Id part : e.parts) out |= ends_[part][at];
      return out;
    }
    if (e.kind == Kind::repeat) {
      uint64_t out = e.least == 0 ? places : 0;
      const uint32_t rounds = e.most == Grammar::kNoLimit ? e.least + uint32_t(text_.size()) + 1 : e.most;
      for (uint32_t i = 1; i <= rounds && places; ++i) {
        places = then(places, e.parts[0]);
        if (i >= e.least) out |= places;
      }
      return out;
    }
    if (e.kind == Kind::token || at == text_.size()) return 0;
    for (const CharRange r : e.ranges)
      if (r.low <= text_[at] && text_[at] <= r.high) return uint64_t(1) << (at + 1);
    return 0;
  }

  const Grammar& g_;
  const std::vector<uint32_t>& text_;
  std::vector<std::vector<uint64_t>> ends_;
};

std::string utf8(const std::vector<uint32_t>& codes) {
  std::string out;
  for (const uint32_t c : codes) append_utf8(out, c);
  return out;
}

bool fits(const Grammar& g, std::string_view text) {
  Matcher m(std::make_shared<Automaton>(compile_grammar(g)));
  return m.may_end(m.step(m.start(), text));
}

TEST_CASE("random grammars mean what their definition says") {
  const uint64_t seed = full() ? std::random_device{}() : 7;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int matched = 0, refused = 0;
  for (int round = 0; round < (full() ? 8000 : 150); ++round) {
    const std::string text = RandomGrammar(random).make();
    INFO(text);
    const Grammar g = parse_gbnf(text);
    std::shared_ptr<const Automaton> automaton;
    try {
      automaton = std::make_shared<Automaton>(compile_grammar(g));
    } catch (const Error& e) {
      ++refused;
      if (std::string(e.what()).find("matches no text") == std::string::npos) continue;
    }
    std::unique_ptr<Matcher> matcher;
    if (automaton) matcher = std::make_unique<Matcher>(automaton);
    for (int i = 0; i < 12; ++i) {
      std::vector<uint32_t> codes(random() % 9);
      for (uint32_t& c : codes) c = kLetters[random() % kLetters.size()];
      const bool wanted = Definition(g, codes).fits();
      const std::string bytes = utf8(codes);
      INFO("text " << bytes);
      matched += wanted;
      if (!matcher) {
        REQUIRE_FALSE(wanted);
        continue;
      }
      matcher->start_work();
      Matcher::State s;
      try {
        s = matcher->step(matcher->start(), bytes);
      } catch (const Error& e) {
        REQUIRE(too_ambiguous(e));
        ++refused;
        break;
      }
      REQUIRE(matcher->may_end(s) == wanted);
      if (s == Matcher::kDead) continue;
      const Matcher::State same = matcher->compact(s);
      REQUIRE(matcher->may_end(same) == wanted);
    }
  }
  CHECK(matched > 50);
  CHECK(refused < (full() ? 2400 : 50));
}

TEST_CASE("errors of grammars name line and column") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "the grammar has no rule named root"},
      {"root ::= \"a\nb\" ]", "grammar, line 2, column 4: expected the end of the rule or one more part of it"},
      {"root := a", "grammar, line 1, column 6: expected ::= after the name of a rule"},
      {"root ::= b\n# x\n", "grammar, line 1, column 10: rule b is not defined"},
      {"root ::= \"a\"\nroot ::= \"b\"", "grammar, line 2, column 1: rule root is defined twice"},
      {"root ::= (\"a\"", "grammar, line 1, column 14: expected ) or one more part of the group"},
      {"root ::= [a-", "grammar, line 1, column 13: unexpected end of the grammar"},
      {"root ::= \"a\" | *", "grammar, line 1, column 16: there is nothing before * that it could repeat"},
      {"root ::= \"a\"{3,2}", "grammar, line 1, column 13: the repetition {3,2} is in the wrong order"},
      {"root ::= \"\\q\"", "grammar, line 1, column 11: unknown escape"},
      {"root ::= [z-a]", "grammar, line 1, column 11: the range of characters is in the wrong order"},
      {"root ::= \"\\xz0\"", "grammar, line 1, column 11: expected 2 hexadecimal digits"},
      {"root ::= \"\xFF\"", "grammar, line 1, column 11: the grammar is not valid UTF-8"},
      {"root ::= <think>", "grammar, line 1, column 10: tokens can only be named where a vocabulary is at hand"},
      {"root ::= \"a\" root", "the grammar matches no text: rule root cannot end"}};
  for (const auto& c : cases) {
    const std::string text = c.first, error = c.second;
    INFO(text);
    std::string what;
    try {
      compile_gbnf(text, nullptr);
    } catch (const Error& e) {
      what = e.what();
    }
    CHECK(what.substr(0, error.size()) == error);
  }
}

TEST_CASE("llama.cpp's notation") {
  const Grammar g = parse_gbnf(
      "# comment\r\nroot::=(\n  \"\\x41\\u00e9\\U0001d11e\" # more\n |\n [^\\]\\-a-c^] .\n){1,2} tail |\n\"q\"\n"
      "tail ::= [\\n\\t\\\\\"]{ 1 , }\n");
  CHECK(fits(g, "A\u00e9\U0001d11e\n"));
  CHECK(fits(g, "d]\"\\"));
  CHECK(fits(g, "q"));
  CHECK_FALSE(fits(g, "b]\n"));
  CHECK_FALSE(fits(g, "d]"));
  CHECK_FALSE(fits(g, "^]\n"));
}

double seconds(const std::chrono::steady_clock::time_point& since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

std::string repeat_text(const std::string& text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

// Compiles, reads a text and makes masks on the way; an Error is an answer as well.
std::string try_grammar(const std::string& grammar, const std::string& text) {
  static const auto trie = [] {
    std::vector<TokenTrie::Token> tokens;
    for (const char a : std::string_view("abc()+")) {
      tokens.push_back({std::string(1, a)});
      for (const char b : std::string_view("abc()+")) tokens.push_back({std::string{a, b, a}});
    }
    tokens.push_back({"", true});
    return std::make_shared<TokenTrie>(tokens);
  }();
  try {
    GrammarConstraint c(compile_gbnf(grammar, nullptr), trie);
    for (const char letter : text) {
      c.allowed();
      int32_t token = 0;
      while (trie->bytes(token) != std::string_view(&letter, 1)) ++token;
      if (!c.allows(token)) return "no";
      c.accept(token);
    }
    c.allowed();
  } catch (const Error& e) {
    return e.what();
  }
  return "ok";
}

TEST_CASE("hostile grammars end soon") {
  struct Case {
    const char* name;
    std::string grammar, text, answer;
  };
  std::string chain = "root ::= r0\n", cycle = "root ::= c0\n", doubling = "root ::= d0\n";
  for (int i = 0; i < 3000; ++i)
    chain += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + " | \"b\" root\n";
  chain += "r3000 ::= \"a\"\n";
  for (int i = 0; i < 60; ++i)
    cycle += "c" + std::to_string(i) + " ::= c" + std::to_string((i + 1) % 60) + " \"a\" | c" +
             std::to_string((i + 7) % 60) + " \"b\" | \"a\"\n";
  for (int i = 0; i < 40; ++i)
    doubling += "d" + std::to_string(i) + " ::= d" + std::to_string(i + 1) + " d" + std::to_string(i + 1) + "\n";
  doubling += "d40 ::= \"a\" | \"b\"\n";
  const Case cases[] = {
      {"star of star", "root ::= ((\"a\"*)*)* \"b\"", repeat_text("a", 2000), "ok"},
      {"star of nothing", "root ::= (\"\"*)* (\"\" | \"\"+)+ \"a\"*", "aaaa", "ok"},
      {"a? x 1000", "root ::= " + repeat_text("\"a\"? ", 1000) + repeat_text("\"a\" ", 1000), repeat_text("a", 1500),
       "the grammar becomes too large"},
      {"a? x 20000", "root ::= " + repeat_text("\"a\"? ", 20000), "a", "the grammar becomes too large"},
      {"nested counts", "root ::= ((\"a\"{0,1000}){0,1000}){0,1000}", "aaa", "the grammar becomes too large"},
      {"huge count", "root ::= \"a\"{4000000000}", "a", "the grammar becomes too large"},
      {"count of nothing", "root ::= \"\"{4000000000} \"a\"", "a", "the grammar becomes too large"},
      {"self", "root ::= root", "a", "the grammar matches no text"},
      {"left recursion", "root ::= root \"a\" | root root \"b\" | \"a\" |", repeat_text("aab", 100), "ok"},
      {"all ways to split", "root ::= s\ns ::= s s s | s s | \"a\" |", repeat_text("a", 150), "ok"},
      {"ambiguous on the right", "root ::= \"a\" root root | \"a\" root | \"a\"", repeat_text("a", 150), "ok"},
      {"indirect cycle of 60 rules", cycle, repeat_text("a", 100), "rule"},
      {"chain of 3000 rules", chain, repeat_text("b", 200) + "a", "ok"},
      {"2^40 letters", doubling, repeat_text("ab", 500), "ok"},
      {"deep groups", "root ::= " + repeat_text("(", 100000) + "\"a\"", "a", "grammar, line 1"},
      {"deep text", "root ::= \"(\" root \")\" | \"a\"", repeat_text("(", 5000) + "a" + repeat_text(")", 5000), "ok"},
      {"determinizing", "root ::= [ab]* \"a\" [ab]{300}", repeat_text("ab", 400), "ok"},
      {"many repetitions of one atom", "root ::= \"a\"" + repeat_text("*", 100000), "a", "grammar, line 1"},
      {"wide alternatives", "root ::= (" + repeat_text("\"a\" | ", 50000) + "\"b\")*", repeat_text("ab", 100), "ok"},
  };
  for (const Case& c : cases) {
    const auto start = std::chrono::steady_clock::now();
    const std::string answer = try_grammar(c.grammar, c.text);
    const double spent = seconds(start);
    MESSAGE(std::string(c.name) << ": " << answer.substr(0, 60) << ", " << int(spent * 1000) << " ms");
    CHECK(answer.substr(0, c.answer.size()) == c.answer);
    CHECK(spent < 10);
  }
}

}  // namespace
