// The lexer walks data up to the next tag, then the inside of the tag.
#include "core/text/jinja/lexer.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

// "\r\n" and "\r" become "\n"; one newline at the very end is dropped.
std::string normalize_newlines(std::string_view text, bool drop_last) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r')
      out += text[i];
    else if (i + 1 >= text.size() || text[i + 1] != '\n')
      out += '\n';
  }
  if (drop_last && !out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

constexpr size_t kMostTokens = 40000;  // the longest template in use has some 6000
constexpr size_t kMostBytes = 1 << 20;

// Longest first.
constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                           "]",  "(",  ")",  "{",  "}",  "<",  ">", "=", ".", ":", "|", ",", ";"};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(normalize_newlines(source, true)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) lex_data();
    push(TokenType::end, "");
    return std::move(tokens_);
  }

 private:
  void push(TokenType type, std::string text) {
    if (tokens_.size() >= kMostTokens) fail_line(line_, "a template of more than %zu tokens", kMostTokens);
    tokens_.push_back({type, line_, std::move(text)});
  }
  void advance(size_t to) {
    for (; at_ < to; ++at_) line_ += text_[at_] == '\n';
  }
  bool starts(std::string_view what, size_t at) const { return text_.compare(at, what.size(), what) == 0; }
  char peek(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // The place of the next "{{", "{%" or "{#".
  size_t find_tag() const {
    for (size_t at = text_.find('{', at_); at != std::string::npos; at = text_.find('{', at + 1)) {
      const char next = peek(at + 1);
      if (next == '{' || next == '%' || next == '#') return at;
    }
    return std::string::npos;
  }

  void push_data(std::string data, bool line_start, char sign, bool variable) {
    if (sign == '-')
      data = std::string(strip_right(data));
    else if (sign != '+' && !variable) {
      const size_t newline = data.rfind('\n'), line = newline == std::string::npos ? 0 : newline + 1;
      if ((line > 0 || line_start) && strip_left(std::string_view(data).substr(line)).empty()) data.resize(line);
    }
    if (!data.empty()) push(TokenType::data, std::move(data));
  }

  void lex_data() {
    const size_t tag = find_tag();
    if (tag == std::string::npos) {
      push(TokenType::data, text_.substr(at_));
      return advance(text_.size());
    }
    const char kind = text_[tag + 1];
    const char sign = peek(tag + 2) == '-' || peek(tag + 2) == '+' ? peek(tag + 2) : '\0';
    push_data(text_.substr(at_, tag - at_), line_start_, sign, kind == '{');
    advance(tag + (sign ? 3 : 2));
    if (kind == '#') return lex_comment();
    if (kind == '%' && lex_raw()) return;
    push(kind == '{' ? TokenType::variable_begin : TokenType::block_begin, "");
    lex_inside(kind == '{' ? "}}" : "%}");
  }

  // Behind an end tag: "-" takes all whitespace, else blocks and comments take one newline.
  void finish_tag(char sign, bool block) {
    const size_t begin = at_;
    size_t end = at_;
    if (sign == '-')
      end = text_.size() - strip_left(std::string_view(text_).substr(at_)).size();
    else if (block && sign != '+' && peek(at_) == '\n')
      ++end;
    advance(end);
    line_start_ = end > begin && text_[end - 1] == '\n';
  }

  void lex_comment() {
    const size_t end = text_.find("#}", at_);
    if (end == std::string::npos) fail_line(line_, "a comment has no end");
    const char before = end > at_ ? text_[end - 1] : '\0';
    advance(end + 2);
    finish_tag(before == '-' || before == '+' ? before : '\0', true);
  }

  size_t skip_spaces(size_t at) const { return text_.size() - strip_left(std::string_view(text_).substr(at)).size(); }

  // Just behind "{%": {% raw %} ... {% endraw %}.
  bool lex_raw() {
    size_t at = skip_spaces(at_);
    if (!starts("raw", at)) return false;
    at = skip_spaces(at + 3);
    const char sign = peek(at) == '-' ? '-' : '\0';
    at += sign != '\0';
    if (!starts("%}", at)) return false;
    advance(at + 2);
    finish_tag(sign, false);
    const bool line_start = line_start_;
    for (size_t tag = text_.find("{%", at_); tag != std::string::npos; tag = text_.find("{%", tag + 1)) {
      const char left = peek(tag + 2) == '-' || peek(tag + 2) == '+' ? peek(tag + 2) : '\0';
      size_t end = skip_spaces(tag + 2 + (left != '\0'));
      if (!starts("endraw", end)) continue;
      end = skip_spaces(end + 6);
      const char right = peek(end) == '-' || peek(end) == '+' ? peek(end) : '\0';
      end += right != '\0';
      if (!starts("%}", end)) continue;
      push_data(text_.substr(at_, tag - at_), line_start, left, false);
      advance(end + 2);
      finish_tag(right, true);
      return true;
    }
    fail_line(line_, "{%% raw %%} has no end");
  }

  void lex_inside(std::string_view closing) {
    std::string open;  // brackets: "}}" inside a dict does not end the tag
    while (true) {
      advance(skip_spaces(at_));
      if (at_ >= text_.size()) fail_line(line_, "a tag has no '%s'", std::string(closing).c_str());
      const char c = text_[at_];
      const bool signed_end = (c == '-' || (c == '+' && closing == "%}")) && starts(closing, at_ + 1);
      if (open.empty() && (signed_end || starts(closing, at_))) {
        push(closing == "}}" ? TokenType::variable_end : TokenType::block_end, "");
        advance(at_ + closing.size() + signed_end);
        return finish_tag(signed_end ? c : '\0', closing == "%}");
      }
      if (c == '"' || c == '\'')
        lex_string(c);
      else if (c >= '0' && c <= '9')
        lex_number();
      else if (is_name(c))
        lex_name();
      else
        lex_operator(open);
    }
  }

  static bool is_name(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || uint8_t(c) >= 0x80;
  }

  void lex_name() {
    size_t end = at_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    push(TokenType::name, text_.substr(at_, end - at_));
    advance(end);
  }

  void lex_string(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail_line(line_, "a string has no end");
    push(TokenType::string, unescape(std::string_view(text_).substr(at_ + 1, end - at_ - 1), line_));
    advance(end + 1);
  }

  size_t digits(size_t at) const { return at + 1 > text_.size() ? at : based_digits(at + 1, "0123456789"); }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  // The end of digits of a base: groups joined by single underscores.
  size_t based_digits(size_t at, std::string_view allowed) const {
    while (true) {
      const size_t next = at + (peek(at) == '_');
      const char c = peek(next);
      if (!c || allowed.find(c >= 'A' && c <= 'Z' ? char(c | 32) : c) == std::string_view::npos) return at;
      at = next + 1;
    }
  }

  bool lex_based_integer() {
    struct Row {
      char letter;
      int base;
      std::string_view digits;
    };
    constexpr Row kRows[] = {{'b', 2, "01"}, {'o', 8, "01234567"}, {'x', 16, "0123456789abcdef"}};
    for (const Row& row : kRows) {
      if (text_[at_] != '0' || (peek(at_ + 1) | 32) != row.letter) continue;
      const size_t end = based_digits(at_ + 2, row.digits);
      if (end == at_ + 2) continue;
      std::string written = text_.substr(at_ + 2, end - at_ - 2);
      std::erase(written, '_');
      errno = 0;
      const unsigned long long value = std::strtoull(written.c_str(), nullptr, row.base);
      if (errno || value > INT64_MAX) fail_line(line_, "the number %s is too large", written.substr(0, 40).c_str());
      push(TokenType::integer, std::to_string(value));
      advance(end);
      return true;
    }
    return false;
  }

  void lex_number() {
    size_t end = digits(at_);
    bool real = false;
    const auto exponent_at = [&](size_t at) {  // the end of an exponent at `at`; 0: there is none
      if ((peek(at) | 32) != 'e') return size_t(0);
      const size_t first = at + 1 + (peek(at + 1) == '-' || peek(at + 1) == '+');
      return is_digit(peek(first)) ? digits(first) : 0;
    };
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';  // the index of an attribute is never a real
    if (!after_dot) {
      if (peek(end) == '.' && is_digit(peek(end + 1))) {
        end = digits(end + 1);
        real = true;
      }
      if (const size_t exponent = exponent_at(end)) {
        end = exponent;
        real = true;
      }
    }
    if (!real && lex_based_integer()) return;
    if (!real && text_[at_] == '0') end = based_digits(at_ + 1, "0");  // no other leading zeros
    std::string text = text_.substr(at_, end - at_);
    std::erase(text, '_');
    push(real ? TokenType::real : TokenType::integer, text);
    advance(end);
  }

  void lex_operator(std::string& open) {
    constexpr std::string_view kOpening = "([{", kClosing = ")]}";
    for (const std::string_view op : kOperators) {
      if (!starts(op, at_)) continue;
      if (kOpening.find(op[0]) != std::string_view::npos) open += op[0];
      if (const size_t place = kClosing.find(op[0]); place != std::string_view::npos) {
        if (open.empty() || open.back() != kOpening[place]) fail_line(line_, "unexpected '%c'", op[0]);
        open.pop_back();
      }
      push(TokenType::op, std::string(op));
      return advance(at_ + op.size());
    }
    fail_line(line_, "unexpected character '%c'", text_[at_]);
  }

  std::string text_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_start_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

void fail_line(int line, const char* format, ...) {
  char text[800];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fail(Code::bad_argument, "template, line %d: %s", line, text);
}

std::vector<Token> tokenize(std::string_view source) {
  if (source.size() > kMostBytes) fail_line(1, "a template of %zu bytes is too long", source.size());
  return Lexer(source).run();
}

}  // namespace loam::jinja
