#include "core/text/grammar/gbnf_text.h"

#include <algorithm>
#include <cstdarg>

#include "core/error.h"
#include "core/text/grammar/grammar.h"
#include "core/text/unicode.h"

namespace loam {

void GbnfText::fail_here(const char* format, ...) const {
  char what[300];
  va_list args;
  va_start(args, format);
  std::vsnprintf(what, sizeof what, format, args);
  va_end(args);
  const size_t end = std::min(at_, text_.size());
  const size_t line = 1 + size_t(std::count(text_.begin(), text_.begin() + std::ptrdiff_t(end), '\n'));
  const size_t start = text_.rfind('\n', end ? end - 1 : 0);
  const size_t column = start == std::string_view::npos || start >= end ? end + 1 : end - start;
  fail(Code::bad_argument, "grammar, line %zu, column %zu: %s", line, column, what);
}

void GbnfText::skip_space(bool newlines) {
  while (!ended()) {
    const char c = peek();
    if (c == '#')
      while (!ended() && peek() != '\n' && peek() != '\r') ++at_;
    else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r')))
      ++at_;
    else
      break;
  }
}

std::string GbnfText::name() {
  const size_t begin = at_;
  while (is_word(peek())) ++at_;
  if (at_ == begin) fail_here("expected the name of a rule");
  return std::string(text_.substr(begin, at_ - begin));
}

uint32_t GbnfText::character() {
  if (ended()) fail_here("unexpected end of the grammar");
  if (peek() == '\\') return escape();
  const Char c = decode_utf8(text_, at_);
  if (c.code >= kInvalidByte) fail_here("the grammar is not valid UTF-8");
  at_ += c.bytes;
  return c.code;
}

uint32_t GbnfText::escape() {
  static constexpr std::pair<char, char> kEscapes[] = {{'t', '\t'}, {'r', '\r'}, {'n', '\n'}, {'\\', '\\'}, {'"', '"'},
                                                       {'[', '['},  {']', ']'},  {'-', '-'},  {'^', '^'}};
  const char c = peek(1);
  if (c == 'x' || c == 'u' || c == 'U') return hex_escape(c == 'x' ? 2 : c == 'u' ? 4 : 8);
  for (const auto& [letter, code] : kEscapes) {
    if (c != letter) continue;
    at_ += 2;
    return uint32_t(code);
  }
  fail_here("unknown escape; known are \\x \\u \\U \\t \\r \\n \\\\ \\\" \\[ \\] \\-");
}

uint32_t GbnfText::hex_escape(int digits) {
  uint32_t code = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = peek(size_t(2 + i));
    const char lower = char(c | 32);
    if (!is_digit(c) && !(lower >= 'a' && lower <= 'f')) fail_here("expected %d hexadecimal digits", digits);
    code = code << 4 | uint32_t(is_digit(c) ? c - '0' : lower - 'a' + 10);
  }
  if (code > 0x10FFFF) fail_here("there is no character %X", code);
  at_ += size_t(2 + digits);
  return code;
}

uint32_t GbnfText::integer() {
  if (!is_digit(peek())) fail_here("expected a number");
  uint64_t value = 0;
  while (is_digit(peek())) {
    value = value * 10 + uint64_t(peek() - '0');
    if (value >= Grammar::kNoLimit) fail_here("the number of repetitions is too large");
    ++at_;
  }
  return uint32_t(value);
}

}  // namespace loam
