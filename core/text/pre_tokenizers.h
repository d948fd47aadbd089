// Shared by the files of pre-tokenizers: how a word is cut at matches, and the makers that the list names.
#pragma once
#include "core/text/regex.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
Behavior behavior_field(const Json& step);

// A stretch of a word that matches what the step looks for, or lies between matches. May be empty.
struct Part {
  Words::Range range;
  bool match;
};
// Joins neighbours as the behavior says and appends the ranges that remain, moved by `offset`.
void apply_behavior(const std::vector<Part>& parts, Behavior behavior, size_t offset, std::vector<Words::Range>& out);

// Cuts every word with cut(word, parts), which lists parts that cover the word (relative to it).
template <class Cut>
void cut_words(Words& words, Behavior behavior, Cut cut) {
  std::vector<Words::Range> out;
  out.reserve(words.ranges.size());
  std::vector<Part> parts;
  for (const Words::Range r : words.ranges) {
    if (r.end == r.begin) continue;
    parts.clear();
    cut(words.word(r), parts);
    apply_behavior(parts, behavior, r.begin, out);
  }
  words.ranges = std::move(out);
}

// Parts from a matcher next(match), which finds the matches of the word from left to right.
template <class Next>
void list_parts(std::string_view word, bool invert, std::vector<Part>& parts, Next next) {
  size_t done = 0;
  for (Regex::Match m{}; next(m); done = m.end) {
    if (m.begin != done) parts.push_back({{done, m.begin}, invert});
    parts.push_back({{m.begin, m.end}, !invert});
  }
  if (done < word.size()) parts.push_back({{done, word.size()}, invert});
}

// Parts where every character that passes test(Char) is a match of its own.
template <class Test>
void cut_at_chars(Words& words, Behavior behavior, Test test) {
  cut_words(words, behavior, [&](std::string_view word, std::vector<Part>& parts) {
    size_t done = 0, at = 0;
    for_each_char(word, [&](Char c) {
      if (test(c)) {
        if (at > done) parts.push_back({{done, at}, false});
        parts.push_back({{at, at + c.bytes}, true});
        done = at + c.bytes;
      }
      at += c.bytes;
    });
    if (done < word.size()) parts.push_back({{done, word.size()}, false});
  });
}

// Rewrites every word through rewrite(word, out); ranges follow.
template <class Rewrite>
void rewrite_words(Words& words, Rewrite rewrite) {
  std::string out;
  out.reserve(words.text.size() + words.text.size() / 4);
  for (Words::Range& r : words.ranges) {
    const size_t begin = out.size();
    rewrite(words.word(r), out);
    r = {begin, out.size()};
  }
  words.text = std::move(out);
}

struct PreTokenizerRow {
  const char* type;
  PreTokenizer (*make)(const Json& step);
};
PreTokenizer make_whitespace(const Json& step);
PreTokenizer make_whitespace_split(const Json& step);
PreTokenizer make_punctuation(const Json& step);
PreTokenizer make_digits(const Json& step);
PreTokenizer make_bert_pre_tokenizer(const Json& step);
PreTokenizer make_char_delimiter_split(const Json& step);
PreTokenizer make_fixed_length(const Json& step);
PreTokenizer make_unicode_scripts(const Json& step);

}  // namespace loam
