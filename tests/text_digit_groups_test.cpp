// Digits in threes from the right: the linear forms against their patterns.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "core/text/digit_groups.h"
#include "core/text/gguf_pre.h"
#include "core/text/regex.h"
#include "core/text/unicode.h"

namespace {
using namespace loam;

// Pieces of an isolated Split by the regex itself.
std::vector<size_t> ends_by_regex(const std::string& pattern, const std::string& text) {
  const Regex regex(pattern);
  std::vector<size_t> ends;
  Regex::Match m{};
  for (size_t from = 0; from < text.size() && regex.search(text, from, m);) {
    for (const size_t end : {m.begin, m.end}) {
      if (end > (ends.empty() ? 0 : ends.back())) ends.push_back(end);
    }
    from = m.end > m.begin ? m.end : m.end + (m.end < text.size() ? decode_utf8(text, m.end).bytes : 1);
  }
  if (!text.empty() && (ends.empty() || ends.back() < text.size())) ends.push_back(text.size());
  return ends;
}

TEST_CASE("digit groups: threes from the right, as the patterns say and in linear time") {
  const char* const kPieces[] = {"1", "22", "333", "\u0664", "\u00bd", "\u2167",     "a", "\u00e9",
                                 "_", " ",  ",",   "\u0301", "\u4e00", "\U0001d7d8", "\n"};
  std::mt19937 rng(6);
  for (const char* pattern :
       {"\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))", "\\d{1,3}(?=(?:\\d{3})*\\b)", "(?=(\\d{3})+(?!\\d))"}) {
    CAPTURE(pattern);
    const Cutter cut = find_cutter(pattern);
    REQUIRE(bool(cut));
    for (int round = 0; round < 3000; ++round) {
      std::string text;
      for (size_t i = rng() % 12; i > 0; --i) text += kPieces[rng() % (rng() % 2 ? 4 : std::size(kPieces))];
      CAPTURE(text);
      std::vector<size_t> ends;
      cut(text, ends);
      CHECK(ends == ends_by_regex(pattern, text));
    }
    std::vector<size_t> ends;
    cut(std::string(4 << 20, '7'), ends);
    CHECK(ends.size() == ((4 << 20) + 2) / 3);
  }
  for (const char* name : {"afmoe", "tiny_aya", "superbpe"}) {
    const GgufPre& row = find_gguf_pre(name);
    CHECK(std::any_of(row.steps.begin(), row.steps.end(),
                      [](const PreStep& s) { return s.pattern && find_cutter(s.pattern); }));
  }
}

}  // namespace
