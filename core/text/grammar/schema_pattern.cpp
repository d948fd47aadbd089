// Regular expressions of JSON schemas (ECMA-262's notation, without look-around and back references) -> grammar of
// what stands between the quotes.
#include <algorithm>

#include "core/text/grammar/schema_parts.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

using Ranges = std::vector<CharRange>;

Ranges join(Ranges a, const Ranges& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

constexpr uint64_t kEndless = Grammar::kNoLimit;
constexpr int kMostDepth = 100;

uint64_t add_lengths(uint64_t a, uint64_t b) {
  return a == kEndless || b == kEndless ? kEndless : std::min(a + b, kEndless);
}
uint64_t multiply_lengths(uint64_t a, uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return a == kEndless || b == kEndless || a > kEndless / b ? kEndless : a * b;
}

class PatternParser {
 public:
  PatternParser(Grammar& g, std::string_view pattern, const std::string& at, const char* keyword)
      : g_(g), pattern_(pattern), where_(at), keyword_(keyword) {}

  StringPart parse() {
    StringPart all = top_level();
    if (!ended()) fail_here("there is a ) without its (");
    return all;
  }

 private:
  [[noreturn]] void fail_here(const char* what) const {
    fail_schema(Code::unsupported, where_, "%s \"%.100s\", character %zu: %s", keyword_, std::string(pattern_).c_str(),
                at_ + 1, what);
  }
  bool ended() const { return at_ >= pattern_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0'; }
  bool skip(std::string_view text) {
    if (pattern_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }

  StringPart unit(const Ranges& ranges) {
    const Grammar::Id id = json_char(g_, ranges);
    return {id, 1, 1, true, id};
  }
  StringPart anything() { return repeat(unit({{0, 0x10FFFF}}), 0, kEndless); }

  StringPart repeat(const StringPart& p, uint64_t least, uint64_t most) {
    StringPart out{g_.repeat(p.expr, uint32_t(least), uint32_t(most)), multiply_lengths(p.least, least),
                   multiply_lengths(p.most, most)};
    if (p.repeats_unit && p.least == 1 && p.most == 1) out.repeats_unit = true, out.unit = p.unit;
    return out;
  }

  StringPart join_parts(const std::vector<StringPart>& parts) {
    if (parts.size() == 1) return parts[0];
    StringPart out{0, 0, 0};
    std::vector<Grammar::Id> ids;
    for (const StringPart& p : parts) {
      ids.push_back(p.expr);
      out.least = add_lengths(out.least, p.least);
      out.most = add_lengths(out.most, p.most);
    }
    out.expr = g_.sequence(std::move(ids));
    return out;
  }

  StringPart choose(const std::vector<StringPart>& parts) {
    if (parts.size() == 1) return parts[0];
    StringPart out{0, kEndless, 0};
    std::vector<Grammar::Id> ids;
    for (const StringPart& p : parts) {
      ids.push_back(p.expr);
      out.least = std::min(out.least, p.least);
      out.most = std::max(out.most, p.most);
    }
    out.expr = g_.choice(std::move(ids));
    return out;
  }

  // Each alternative has its own anchors; where one is missing, anything may stand.
  StringPart top_level() {
    std::vector<StringPart> alternatives;
    do {
      std::vector<StringPart> parts;
      if (!skip("^")) parts.push_back(anything());
      StringPart inner;
      const bool closed = sequence(inner, true);
      parts.push_back(inner);
      if (!closed) parts.push_back(anything());
      alternatives.push_back(parts.size() == 1 ? parts[0] : join_parts(parts));
    } while (skip("|"));
    return choose(alternatives);
  }

  // Returns whether it ended with $, which only the top level may.
  bool sequence(StringPart& out, bool top) {
    std::vector<StringPart> parts;
    bool closed = false;
    while (!ended() && peek() != '|' && peek() != ')') {
      if (peek() == '$' && top) {
        ++at_;
        closed = true;
        if (!ended() && peek() != '|') fail_here("something follows $");
        break;
      }
      StringPart p = atom();
      quantifiers(p);
      parts.push_back(p);
    }
    out = join_parts(parts);
    if (parts.empty()) out.expr = g_.empty();
    return closed;
  }

  StringPart atom() {
    const char c = peek();
    if (c == '(') return group();
    if (c == '[') return unit(char_class());
    if (c == '^' || c == '$') fail_here("anchors can only stand at the ends of the pattern");
    if (c == '*' || c == '+' || c == '?' || c == '{') fail_here("there is nothing to repeat");
    if (c == '.') {
      ++at_;
      return unit(other_chars({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
    }
    Ranges ranges;
    if (c == '\\' && pattern_class(peek(1), ranges)) {
      at_ += 2;
      return unit(ranges);
    }
    const uint32_t code = character();
    return unit({{code, code}});
  }

  StringPart group() {
    if (++depth_ > kMostDepth) fail_here("groups are nested too deeply");
    ++at_;
    if (skip("?:")) {
    } else if (peek() == '?' && peek(1) == '<' && peek(2) != '=' && peek(2) != '!') {
      const size_t close = pattern_.find('>', at_);
      if (close == std::string_view::npos) fail_here("the group's name has no end");
      at_ = close + 1;
    } else if (peek() == '?') {
      fail_here("look-around and flags are not supported");
    }
    std::vector<StringPart> alternatives;
    do {
      alternatives.emplace_back();
      sequence(alternatives.back(), false);
    } while (skip("|"));
    if (!skip(")")) fail_here("a group has no )");
    --depth_;
    return choose(alternatives);
  }

  void quantifiers(StringPart& p) {
    uint64_t least = 0, most = kEndless;
    if (skip("*")) {
    } else if (skip("+")) {
      least = 1;
    } else if (skip("?")) {
      most = 1;
    } else if (peek() == '{') {
      ++at_;
      least = most = integer();
      if (skip(",")) most = peek() == '}' ? kEndless : integer();
      if (!skip("}") || most < least) fail_here("expected {least,most}");
    } else {
      return;
    }
    skip("?");  // lazy: the same texts
    if (peek() == '+' || peek() == '*' || peek() == '{' || peek() == '?') fail_here("one repetition follows another");
    p = repeat(p, least, most);
  }

  uint64_t integer() {
    uint64_t value = 0;
    const size_t begin = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      value = std::min<uint64_t>(value * 10 + uint64_t(peek() - '0'), 1 << 30);
    if (at_ == begin) fail_here("expected a number of repetitions");
    return value;
  }

  Ranges char_class() {
    ++at_;
    const bool negated = skip("^");
    Ranges ranges;
    while (peek() != ']') {
      if (ended()) fail_here("the character class has no ]");
      Ranges some;
      if (peek() == '\\' && pattern_class(peek(1), some)) {
        at_ += 2;
        ranges = join(std::move(ranges), some);
        continue;
      }
      CharRange r{class_character(), 0};
      r.high = r.low;
      if (peek() == '-' && peek(1) != ']' && at_ + 1 < pattern_.size()) {
        ++at_;
        if (peek() == '\\' && pattern_class(peek(1), some)) fail_here("a range ends in a class");
        r.high = class_character();
        if (r.high < r.low) fail_here("the range is in the wrong order");
      }
      ranges.push_back(r);
    }
    ++at_;
    return negated ? other_chars(std::move(ranges)) : ranges;
  }

  uint32_t class_character() {
    if (!skip("\\b")) return character();
    return 8;
  }

  uint32_t character() {
    if (peek() == '\\') return escape();
    const Char c = decode_utf8(pattern_, at_);
    if (c.code >= kInvalidByte) fail_here("the pattern is not valid UTF-8");
    at_ += c.bytes;
    return c.code;
  }

  uint32_t escape() {
    static constexpr std::pair<char, char> kLetters[] = {
        {'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'f', '\f'}, {'v', '\v'}};
    const char c = peek(1);
    for (const auto& [letter, code] : kLetters) {
      if (c != letter) continue;
      at_ += 2;
      return uint32_t(code);
    }
    if (c == 'x' || c == 'u') return hex_escape(c == 'x' ? 2 : 4);
    if (c == '\0' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      fail_here("this escape is not supported");
    ++at_;
    return character_after_backslash();
  }

  uint32_t character_after_backslash() {
    const Char c = decode_utf8(pattern_, at_);
    if (c.code >= kInvalidByte) fail_here("the pattern is not valid UTF-8");
    at_ += c.bytes;
    return c.code;
  }

  uint32_t hex_escape(size_t digits) {
    at_ += 2;
    const bool braces = digits == 4 && skip("{");
    uint32_t code = 0;
    size_t count = 0;
    for (; braces ? peek() != '}' : count < digits; ++count, ++at_) {
      const char c = peek(), lower = char(c | 32);
      const bool digit = c >= '0' && c <= '9';
      if ((!digit && !(lower >= 'a' && lower <= 'f')) || count > 6) fail_here("expected hexadecimal digits");
      code = code << 4 | uint32_t(digit ? c - '0' : lower - 'a' + 10);
    }
    if (braces) ++at_;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) fail_here("this is no character");
    return code;
  }

  Grammar& g_;
  std::string_view pattern_;
  const std::string& where_;
  const char* keyword_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

StringPart compile_pattern(Grammar& g, std::string_view pattern, const std::string& at, const char* keyword) {
  return PatternParser(g, pattern, at, keyword).parse();
}

}  // namespace loam
