// Parser of llama.cpp's grammar notation (GBNF).
#include <map>

#include "core/error.h"
#include "core/text/grammar/gbnf_text.h"
#include "core/text/grammar/grammar.h"

namespace loam {
namespace {

constexpr int kMostDepth = 200;
constexpr size_t kMostBytes = 4 << 20;

class Parser : GbnfText {
 public:
  Parser(std::string_view text, const TokenNames* vocab) : GbnfText(text), vocab_(vocab) {}

  Grammar parse() {
    if (text_.size() > kMostBytes) fail(Code::unsupported, "the grammar is longer than %zu bytes", kMostBytes);
    skip_space(true);
    while (at_ < text_.size()) rule();
    if (!names_.count("root")) fail(Code::bad_argument, "the grammar has no rule named root");
    for (const auto& [name, place] : names_) {
      if (g_.rules()[place.rule].defined) continue;
      at_ = place.at;
      fail_here("rule %s is not defined", name.c_str());
    }
    g_.root = names_.at("root").rule;
    return std::move(g_);
  }

 private:
  struct Place {
    uint32_t rule;
    size_t at;  // of its first mention
  };

  uint32_t rule_index(const std::string& rule_name, size_t at) {
    const auto found = names_.find(rule_name);
    if (found != names_.end()) return found->second.rule;
    const uint32_t index = g_.add_rule(rule_name);
    names_.emplace(rule_name, Place{index, at});
    return index;
  }

  void rule() {
    const size_t begin = at_;
    const uint32_t index = rule_index(name(), begin);
    skip_space(false);
    if (text_.substr(at_, 3) != "::=") fail_here("expected ::= after the name of a rule");
    at_ += 3;
    skip_space(true);
    if (g_.rules()[index].defined) {
      at_ = begin;
      fail_here("rule %s is defined twice", g_.rules()[index].name.c_str());
    }
    g_.define(index, alternatives(false));
    if (!ended() && peek() != '\n' && peek() != '\r') fail_here("expected the end of the rule or one more part of it");
    skip_space(true);
  }

  Grammar::Id alternatives(bool nested) {
    if (++depth_ > kMostDepth) fail_here("groups are nested deeper than %d levels", kMostDepth);
    std::vector<Grammar::Id> parts{sequence(nested)};
    while (peek() == '|') {
      ++at_;
      skip_space(true);
      parts.push_back(sequence(nested));
    }
    --depth_;
    return g_.choice(std::move(parts));
  }

  Grammar::Id sequence(bool nested) {
    std::vector<Grammar::Id> parts;
    Grammar::Id item;
    while (atom(item)) {
      int repeats = 0;
      skip_space(nested);
      while (quantifier(item)) {
        skip_space(nested);
        if (++repeats > kMostDepth) fail_here("more than %d repetitions of repetitions", kMostDepth);
      }
      parts.push_back(item);
    }
    const char c = peek();
    if (c == '*' || c == '+' || c == '?' || c == '{') fail_here("there is nothing before %c that it could repeat", c);
    return g_.sequence(std::move(parts));
  }

  bool atom(Grammar::Id& out) {
    const char c = peek();
    if (c == '"')
      out = literal();
    else if (c == '[')
      out = char_class();
    else if (c == '(')
      out = group();
    else if (c == '.')
      ++at_, out = g_.chars({{0, 0x10FFFF}});
    else if (c == '<' || c == '!')
      out = token();
    else if (is_word(c)) {
      const size_t begin = at_;
      out = g_.rule(rule_index(name(), begin));
    } else {
      return false;
    }
    return true;
  }

  Grammar::Id group() {
    ++at_;
    skip_space(true);
    const Grammar::Id inner = alternatives(true);
    if (peek() != ')') fail_here("expected ) or one more part of the group");
    ++at_;
    return inner;
  }

  Grammar::Id literal() {
    ++at_;
    std::vector<Grammar::Id> parts;
    while (peek() != '"' || ended()) {
      if (ended()) fail_here("the literal has no closing quote");
      parts.push_back(g_.one_char(character()));
    }
    ++at_;
    return g_.sequence(std::move(parts));
  }

  Grammar::Id char_class() {
    ++at_;
    const bool negated = peek() == '^';
    if (negated) ++at_;
    std::vector<CharRange> ranges;
    while (peek() != ']' || ended()) {
      if (ended()) fail_here("the character class has no closing ]");
      const size_t begin = at_;
      CharRange r{character(), 0};
      r.high = r.low;
      if (peek() == '-' && peek(1) != ']') {
        ++at_;
        r.high = character();
      }
      if (r.high < r.low) {
        at_ = begin;
        fail_here("the range of characters is in the wrong order");
      }
      ranges.push_back(r);
    }
    ++at_;
    return g_.chars(negated ? other_chars(std::move(ranges)) : std::move(ranges));
  }

  bool quantifier(Grammar::Id& item) {
    const char c = peek();
    if (c == '{') {
      item = braces(item);
      return true;
    }
    if (c != '*' && c != '+' && c != '?') return false;
    ++at_;
    item = g_.repeat(item, c == '+' ? 1 : 0, c == '?' ? 1 : Grammar::kNoLimit);
    return true;
  }

  Grammar::Id braces(Grammar::Id item) {
    const size_t begin = at_++;
    skip_space(false);
    const uint32_t least = integer();
    uint32_t most = least;
    skip_space(false);
    if (peek() == ',') {
      ++at_;
      skip_space(false);
      most = is_digit(peek()) ? integer() : Grammar::kNoLimit;
      skip_space(false);
    }
    if (peek() != '}') fail_here("expected , or } in {least,most}");
    ++at_;
    if (most < least) {
      at_ = begin;
      fail_here("the repetition {%u,%u} is in the wrong order", least, most);
    }
    return g_.repeat(item, least, most);
  }

  Grammar::Id token() {
    const size_t begin = at_;
    const bool negated = peek() == '!';
    if (negated) ++at_;
    if (peek() != '<') fail_here("expected <token> after !");
    const size_t close = text_.find('>', at_);
    if (close == std::string_view::npos) fail_here("the token has no closing >");
    if (!vocab_) fail_here("tokens can only be named where a vocabulary is at hand");
    int32_t id = -1;
    if (peek(1) == '[') {
      at_ += 2;
      const uint32_t number = integer();
      if (text_.substr(at_, 2) != "]>") fail_here("expected ]> after the number of a token");
      id = number < uint32_t(vocab_->size()) ? int32_t(number) : -1;
    } else {
      id = vocab_->find(text_.substr(at_, close + 1 - at_));
    }
    const std::string written(text_.substr(begin, close + 1 - begin));
    if (id < 0) {
      at_ = begin;
      fail_here("the vocabulary has no token %.100s", written.c_str());
    }
    at_ = close + 1;
    return g_.token(id, negated);
  }

  const TokenNames* vocab_;
  Grammar g_;
  std::map<std::string, Place> names_;
  int depth_ = 0;
};

}  // namespace

Grammar parse_gbnf(std::string_view text, const TokenNames* vocab) { return Parser(text, vocab).parse(); }

}  // namespace loam
