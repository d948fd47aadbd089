// Case, whitespace and escapes.
#include "core/text/jinja/strings.h"

#include <utf8proc.h>

#include "core/text/jinja/lexer.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

// The character that ends `text`.
Char last_char(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && text.size() - begin < 4 && (uint8_t(text[begin]) & 0xc0) == 0x80) --begin;
  const Char c = decode_utf8(text, begin);
  return begin + c.bytes == text.size() ? c : Char{kInvalidByte + uint8_t(text.back()), 1};
}

template <class Test>
std::string_view strip_left_while(std::string_view text, Test test) {
  while (!text.empty()) {
    const Char c = decode_utf8(text, 0);
    if (!test(c.code)) break;
    text.remove_prefix(c.bytes);
  }
  return text;
}

template <class Test>
std::string_view strip_right_while(std::string_view text, Test test) {
  while (!text.empty()) {
    const Char c = last_char(text);
    if (!test(c.code)) break;
    text.remove_suffix(c.bytes);
  }
  return text;
}

auto in_set(std::string_view set) {
  return [set](uint32_t code) {
    for (size_t at = 0; at < set.size();) {
      const Char c = decode_utf8(set, at);
      if (c.code == code) return true;
      at += c.bytes;
    }
    return false;
  };
}

// The characters whose upper case is several; the third column is the title case where it differs.
struct SpecialCase {
  uint32_t code;
  const char *upper, *title;
};
constexpr SpecialCase kSpecialCases[] = {
    {0xdf, "SS", "Ss"},
    {0x149, "\u02bcN", nullptr},
    {0x1f0, "J\u030c", nullptr},
    {0x390, "\u0399\u0308\u0301", nullptr},
    {0x3b0, "\u03a5\u0308\u0301", nullptr},
    {0x587, "\u0535\u0552", "\u0535\u0582"},
    {0x1e96, "H\u0331", nullptr},
    {0x1e97, "T\u0308", nullptr},
    {0x1e98, "W\u030a", nullptr},
    {0x1e99, "Y\u030a", nullptr},
    {0x1e9a, "A\u02be", nullptr},
    {0xfb00, "FF", "Ff"},
    {0xfb01, "FI", "Fi"},
    {0xfb02, "FL", "Fl"},
    {0xfb03, "FFI", "Ffi"},
    {0xfb04, "FFL", "Ffl"},
    {0xfb05, "ST", "St"},
    {0xfb06, "ST", "St"},
};

const SpecialCase* special_case(uint32_t code) {
  for (const SpecialCase& row : kSpecialCases) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

void append_upper(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += code >= 'a' && code <= 'z' ? char(code - 32) : char(code);
    return;
  }
  const SpecialCase* special = code < 0x80 ? nullptr : special_case(code);
  if (special)
    out += special->upper;
  else
    append_utf8(out, code < kInvalidByte ? uint32_t(utf8proc_toupper(utf8proc_int32_t(code))) : code);
}
void append_title(std::string& out, uint32_t code) {
  const SpecialCase* special = code < 0x80 ? nullptr : special_case(code);
  if (special)
    out += special->title ? special->title : special->upper;
  else
    append_utf8(out, code < kInvalidByte ? uint32_t(utf8proc_totitle(utf8proc_int32_t(code))) : code);
}
void append_lower(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += code >= 'A' && code <= 'Z' ? char(code + 32) : char(code);
    return;
  }
  if (code == 0x130) {
    out += "i\u0307";
    return;
  }
  append_utf8(out, code < kInvalidByte ? uint32_t(utf8proc_tolower(utf8proc_int32_t(code))) : code);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = char(c | 32);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// \xhh, \uhhhh, \Uhhhhhhhh: `at` stands on the letter; returns the place behind.
size_t unescape_hex(std::string_view text, size_t at, std::string& out, int line) {
  const int digits = text[at] == 'x' ? 2 : text[at] == 'u' ? 4 : 8;
  uint32_t code = 0;
  for (int i = 1; i <= digits; ++i) {
    const int value = at + size_t(i) < text.size() ? hex_value(text[at + size_t(i)]) : -1;
    if (value < 0) fail_line(line, "a \\%c escape needs %d hex digits", text[at], digits);
    code = code << 4 | uint32_t(value);
  }
  if (code >= kInvalidByte || (code >= 0xd800 && code < 0xe000)) fail_line(line, "an escape names no character");
  append_utf8(out, code);
  return at + 1 + size_t(digits);
}

}  // namespace

bool is_space(uint32_t code) { return (code >= 0x1c && code <= 0x1f) || char_classes()[code] & CharClass::space; }

std::string_view strip_left(std::string_view text) { return strip_left_while(text, is_space); }
std::string_view strip_right(std::string_view text) { return strip_right_while(text, is_space); }
std::string_view strip_left(std::string_view text, std::string_view set) { return strip_left_while(text, in_set(set)); }
std::string_view strip_right(std::string_view text, std::string_view set) {
  return strip_right_while(text, in_set(set));
}

std::string upper(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    append_upper(out, c.code);
    at += c.bytes;
  }
  return out;
}

bool is_cased(uint32_t code) {
  if (code >= kInvalidByte) return false;
  const auto c = utf8proc_int32_t(code);
  const auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT ||
         utf8proc_toupper(c) != c || utf8proc_tolower(c) != c;
}

// Whether a capital sigma at `at` ends a word, which makes its small letter another one.
static bool is_final_sigma(std::string_view text, size_t at, bool cased_before) {
  const size_t next = at + 2;
  return cased_before && (next >= text.size() || !is_cased(decode_utf8(text, next).code));
}

std::string lower(std::string_view text) {
  std::string out;
  bool cased = false;  // where it may matter
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code == 0x3a3 && is_final_sigma(text, at, cased))
      out += "\u03c2";
    else
      append_lower(out, c.code);
    at += c.bytes;
    if (at < text.size() && uint8_t(text[at]) >= 0x80) cased = is_cased(c.code);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  if (text.empty()) return {};
  const Char first = decode_utf8(text, 0);
  std::string out;
  append_title(out, first.code);
  return out + lower(text.substr(first.bytes));
}

std::string fold_case(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    utf8proc_int32_t folded[8];
    int boundary = 0;
    const auto count = c.code < kInvalidByte
                           ? utf8proc_decompose_char(utf8proc_int32_t(c.code), folded, 8, UTF8PROC_CASEFOLD, &boundary)
                           : 0;
    if (count <= 0) append_utf8(out, c.code);
    for (utf8proc_ssize_t i = 0; i < count; ++i) append_utf8(out, uint32_t(folded[i]));
    at += c.bytes;
  }
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool start = true;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    const bool breaks =
        is_space(c.code) || (c.code < 0x80 && std::string_view("-({[<").find(char(c.code)) != std::string_view::npos);
    if (start)
      append_upper(out, c.code);
    else
      append_lower(out, c.code);
    start = breaks;
    at += c.bytes;
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\'')
      out += "&#39;";
    else if (c == '"')
      out += "&#34;";
    else
      out += c;
  }
  return out;
}

std::string unescape(std::string_view text, int line) {
  std::string out;
  constexpr std::string_view kFrom = "abfnrtv\\'\"", kTo = "\a\b\f\n\r\t\v\\'\"";
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      out += text[at++];
      continue;
    }
    const char c = text[++at];
    if (const size_t simple = kFrom.find(c); simple != std::string_view::npos) {
      out += kTo[simple];
      ++at;
    } else if (c == '\n') {
      ++at;
    } else if (c == 'N') {
      fail_line(line, "\\N{...} escapes are not supported: write \\u and four hex digits");
    } else if (c == 'x' || c == 'u' || c == 'U') {
      at = unescape_hex(text, at, out, line);
    } else if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
        code = code * 8 + uint32_t(text[at++] - '0');
      append_utf8(out, code);
    } else {
      (out += '\\') += c;
      ++at;
    }
  }
  return out;
}

}  // namespace loam::jinja
