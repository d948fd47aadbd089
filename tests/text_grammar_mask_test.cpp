// Token masks of grammars: every token tried by itself, and byte by byte.
#include <doctest/doctest.h>

#include "core/text/grammar/grammar_constraint.h"
#include "tests/random_grammar.h"

namespace {

using namespace loam;
using namespace loam::tests;

class Numbered final : public TokenNames {
 public:
  explicit Numbered(size_t size) : size_(size) {}
  int32_t find(std::string_view text) const override { return text == "<think>" ? 0 : -1; }
  int32_t size() const override { return int32_t(size_); }

 private:
  size_t size_;
};

std::vector<TokenTrie::Token> random_vocabulary(std::mt19937_64& random) {
  std::vector<TokenTrie::Token> tokens;
  for (size_t n = 10 + random() % 60; n-- > 0;) {
    std::string bytes;
    for (size_t length = random() % 6; length-- > 0;) append_utf8(bytes, kLetters[random() % kLetters.size()]);
    if (random() % 20 == 0)
      while (bytes.size() < 45) bytes += bytes.empty() ? "a" : bytes;
    const size_t cut = bytes.empty() ? 0 : random() % bytes.size();
    tokens.push_back({random() % 3 ? bytes : bytes.substr(cut), random() % 20 == 0, random() % 10 != 0});
  }
  for (int byte = 0; byte < 256; ++byte)
    if (byte >= 0x80 || (byte >= 'a' && byte <= 'c')) tokens.push_back({std::string(1, char(byte))});
  tokens.push_back({"", true, false});
  return tokens;
}

void check_mask(GrammarConstraint& c, const TokenTrie& trie) {
  const std::span<const uint64_t> borrowed = c.allowed();
  const std::vector<uint64_t> mask(borrowed.begin(), borrowed.end());
  for (size_t t = 0; t < trie.vocab(); ++t) {
    const bool in_mask = mask[t / 64] >> (t % 64) & 1;
    if (in_mask != c.allows(int32_t(t))) FAIL("token " << t << " is " << (in_mask ? "" : "not ") << "in the mask");
  }
}

// A slower way to the same masks: fresh matchers, tokens byte by byte.
void check_by_bytes(const std::shared_ptr<const Automaton>& automaton, const TokenTrie& trie, std::string_view text,
                    GrammarConstraint& c) {
  Matcher m(automaton);
  const Matcher::State s = m.step(m.start(), text);
  for (size_t t = 0; t < trie.vocab(); ++t) {
    const std::string_view bytes = trie.bytes(int32_t(t));
    const bool wanted = trie.is_end(int32_t(t)) ? m.may_end(s) : !bytes.empty() && m.step(s, bytes) != Matcher::kDead;
    if (c.allows(int32_t(t)) != wanted)
      FAIL("token " << t << " is " << (wanted ? "" : "not ") << "allowed byte by byte");
  }
}

int run_and_check(const std::shared_ptr<const Automaton>& automaton, const std::shared_ptr<const TokenTrie>& trie,
                  bool named, std::mt19937_64& random) {
  GrammarConstraint c(automaton, trie);
  std::string written;
  int steps = 0;
  for (; steps < 25 && !c.ended(); ++steps) {
    check_mask(c, *trie);
    if (!named) check_by_bytes(automaton, *trie, written, c);
    std::vector<int32_t> some;
    for (size_t t = 0; t < trie->vocab(); ++t)
      if (c.allows(int32_t(t))) some.push_back(int32_t(t));
    REQUIRE_FALSE(some.empty());
    const int32_t token = some[random() % some.size()];
    c.accept(token);
    written += trie->bytes(token);
  }
  c.reset();
  check_mask(c, *trie);
  return steps;
}

TEST_CASE("a mask has exactly the tokens that fit") {
  const uint64_t seed = full() ? std::random_device{}() : 11;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int steps = 0;
  for (int round = 0; round < (full() ? 2000 : 100); ++round) {
    const std::vector<TokenTrie::Token> tokens = random_vocabulary(random);
    const auto trie = std::make_shared<TokenTrie>(tokens);
    const Numbered names(tokens.size());
    const bool named = round % 2;
    const std::string text = RandomGrammar(random).make(named ? tokens.size() : 0);
    INFO(text);
    std::shared_ptr<const Automaton> automaton;
    try {
      automaton = std::make_shared<Automaton>(compile_grammar(parse_gbnf(text, &names)));
    } catch (const Error&) {
      continue;
    }
    try {
      steps += run_and_check(automaton, trie, named, random);
    } catch (const Error& e) {  // or a grammar asks for tokens that nothing can name
      const bool no_token = std::string_view(e.what()).find("no token") != std::string_view::npos;
      REQUIRE((too_ambiguous(e) || (named && no_token)));
    }
  }
  CHECK(steps > 500);
}

TEST_CASE("counted repetitions near to and far from their end") {
  std::vector<TokenTrie::Token> tokens;
  for (const size_t n : {1, 2, 3, 7, 16, 31, 32, 33, 40}) tokens.push_back({std::string(n, 'a')});
  for (const size_t n : {1, 30, 31, 32, 33}) tokens.push_back({std::string(n, 'a') + "!"});
  tokens.push_back({"!"});
  tokens.push_back({"", true});
  const auto trie = std::make_shared<TokenTrie>(tokens);
  for (const char* text : {"root ::= \"a\"{100,140} \"!\"", "root ::= \"a\"{0,70} \"!\"", "root ::= \"a\"{50,} \"!\"",
                           "root ::= (\"a\"{3,5}){20,30} \"!\""}) {
    INFO(text);
    GrammarConstraint c(compile_gbnf(text, nullptr), trie);
    for (int i = 0; i < 150 && c.allows(0); ++i) {
      check_mask(c, *trie);
      c.accept(0);
    }
    check_mask(c, *trie);
  }
}

TEST_CASE("tokens by name, and the end of a text") {
  const std::vector<TokenTrie::Token> tokens{{"", false}, {"x"}, {"</s>", true}, {"y"}};
  const auto trie = std::make_shared<TokenTrie>(tokens);
  const Numbered names(tokens.size());
  const auto automaton =
      std::make_shared<Automaton>(compile_grammar(parse_gbnf("root ::= <think> !<[3]>* \"y\"?", &names)));
  GrammarConstraint c(automaton, trie);
  CHECK(c.allowed()[0] == 0b0001);
  c.accept(0);
  CHECK(c.allowed()[0] == 0b1111);
  c.accept(1);
  CHECK(c.allowed()[0] == 0b1111);
  c.accept(3);
  CHECK(c.allowed()[0] == 0b0100);
  CHECK_THROWS_WITH_AS(c.accept(1), "token 1 is not allowed here by the grammar", Error);
  c.accept(2);
  CHECK(c.ended());
  CHECK_FALSE(c.allows(2));
}

TEST_CASE("memory stays bounded in long texts") {
  std::vector<TokenTrie::Token> tokens{{"("}, {")"}, {"a"}, {"", true}};
  const auto trie = std::make_shared<TokenTrie>(tokens);
  GrammarConstraint c(compile_gbnf("root ::= (\"(\" root \")\" | \"a\")*", nullptr), trie);
  for (int i = 0; i < 300000; ++i) c.accept(i % 1000 < 500 ? 0 : i % 3 == 0 && c.allows(1) ? 1 : 2);
  CHECK(c.allows(1));
}

}  // namespace
