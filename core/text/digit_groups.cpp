#include "core/text/digit_groups.h"

#include "core/text/regex.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

bool is_number(std::string_view, size_t, const Char& c) { return char_classes()[c.code] & CharClass::number; }

// \d
bool is_decimal(std::string_view text, size_t at, const Char& c) {
  if (c.code < 0x80) return c.code >= '0' && c.code <= '9';
  if (!(char_classes()[c.code] & CharClass::number)) return false;
  static const Regex decimal("\\d");
  Regex::Match m{};
  return decimal.search(text.substr(at, c.bytes), 0, m);
}

bool word_at(std::string_view text, size_t at) {
  return at < text.size() && char_classes()[decode_utf8(text, at).code] & CharClass::word;
}

// Calls run(begin, end, count) for every run of digits.
template <class IsDigit, class Run>
void each_run(std::string_view text, IsDigit is_digit, Run run) {
  size_t begin = 0, count = 0;
  for (size_t at = 0; at <= text.size();) {
    const Char c = at < text.size() ? decode_utf8(text, at) : Char{0, 1};
    if (at < text.size() && is_digit(text, at, c)) {
      if (count++ == 0) begin = at;
    } else if (count) {
      run(begin, at, count);
      count = 0;
    }
    at += c.bytes;
  }
}

// Calls cut(at) where groups of three from the right begin, the rest in front of them first.
template <class Cut>
void each_group(std::string_view text, size_t begin, size_t end, size_t count, Cut cut) {
  for (size_t at = begin, left = count; at < end; at += decode_utf8(text, at).bytes, --left) {
    if (at == begin || left % 3 == 0) cut(at, left);
  }
}

void add_end(std::vector<size_t>& ends, size_t end) {
  if (end > (ends.empty() ? 0 : ends.back())) ends.push_back(end);
}

// Every group is a piece.
void cut_numbers(std::string_view text, std::vector<size_t>& ends) {
  each_run(text, is_number, [&](size_t begin, size_t end, size_t count) {
    each_group(text, begin, end, count, [&](size_t at, size_t) { add_end(ends, at); });
    add_end(ends, end);
  });
  add_end(ends, text.size());
}

// The same, but a run that a word goes on behind is none.
void cut_free_numbers(std::string_view text, std::vector<size_t>& ends) {
  each_run(text, is_decimal, [&](size_t begin, size_t end, size_t count) {
    if (word_at(text, end)) return;
    each_group(text, begin, end, count, [&](size_t at, size_t) { add_end(ends, at); });
    add_end(ends, end);
  });
  add_end(ends, text.size());
}

// The matches are empty: cuts in front of whole groups, and nothing else.
void cut_before_groups(std::string_view text, std::vector<size_t>& ends) {
  each_run(text, is_decimal, [&](size_t begin, size_t end, size_t count) {
    each_group(text, begin, end, count, [&](size_t at, size_t left) {
      if (left % 3 == 0) add_end(ends, at);
    });
  });
  add_end(ends, text.size());
}

struct Row {
  std::string_view pattern;
  Cutter cut;
};
constexpr Row kCutters[] = {
    {"\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))", cut_numbers},
    {"\\d{1,3}(?=(?:\\d{3})*\\b)", cut_free_numbers},
    {"(?=(\\d{3})+(?!\\d))", cut_before_groups},
};

}  // namespace

Cutter find_cutter(std::string_view pattern) {
  for (const Row& row : kCutters) {
    if (pattern == row.pattern) return row.cut;
  }
  return nullptr;
}

}  // namespace loam
