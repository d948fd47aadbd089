// Pre-tokenizers: how a stretch of text is cut into the words that the model sees.
#include "core/error.h"
#include "core/text/regex.h"
#include "core/text/scanners.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior behavior_field(const Json& step) {
  const std::string name = string_field(step, "behavior");
  constexpr const char* kNames[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  for (int i = 0; i < 5; ++i) {
    if (name == kNames[i]) return Behavior(i);
  }
  fail(Code::unsupported, "tokenizer: the split behavior '%.100s' is not known", name.c_str());
}

struct Part {
  Words::Range range;
  bool match;
};

// Joins neighbours as the behavior says and appends what remains.
void apply_behavior(const std::vector<Part>& parts, Behavior behavior, std::vector<Words::Range>& out) {
  bool joins_next = false, last_match = false;
  const size_t start = out.size();
  for (const Part& p : parts) {
    const bool has_previous = out.size() > start;
    bool join = false;
    if (behavior == Behavior::removed && p.match) continue;
    if (behavior == Behavior::merged_with_previous) join = p.match && has_previous && !last_match;
    if (behavior == Behavior::merged_with_next) join = joins_next && !p.match;
    if (behavior == Behavior::contiguous) join = has_previous && p.match == last_match;
    if (join)
      out.back().end = p.range.end;
    else
      out.push_back(p.range);
    joins_next = p.match;
    last_match = p.match;
  }
}

// Cuts every word with cut(word, parts), which lists parts that cover the word (relative to it).
template <class Cut>
void cut_words(Words& words, Behavior behavior, Cut cut) {
  std::vector<Words::Range> out;
  std::vector<Part> parts;
  for (const Words::Range r : words.ranges) {
    parts.clear();
    cut(words.word(r), parts);
    for (Part& p : parts) p.range = {p.range.begin + r.begin, p.range.end + r.begin};
    apply_behavior(parts, behavior, out);
  }
  words.ranges = std::move(out);
}

// Parts from a matcher next(word, from, match), which finds the next non-empty match.
template <class Next>
void list_parts(std::string_view word, bool invert, std::vector<Part>& parts, Next next) {
  size_t done = 0;
  Regex::Match m{};
  for (size_t from = 0; from < word.size() && next(word, from, m);) {
    if (m.end == m.begin) {
      from = m.end < word.size() ? m.end + decode_utf8(word, m.end).bytes : word.size();
      continue;
    }
    if (m.begin > done) parts.push_back({{done, m.begin}, invert});
    parts.push_back({{m.begin, m.end}, !invert});
    from = done = m.end;
  }
  if (done < word.size()) parts.push_back({{done, word.size()}, invert});
}

PreTokenizer split_by_scanner(Scanner scan) {
  return [scan](Words& words) {
    std::vector<Words::Range> out;
    for (const Words::Range r : words.ranges) {
      const std::string_view word = words.word(r);
      for (size_t at = 0; at < word.size();) {
        const size_t end = scan(word, at);
        out.push_back({r.begin + at, r.begin + end});
        at = end;
      }
    }
    words.ranges = std::move(out);
  };
}

PreTokenizer make_split(const Json& step) {
  bool is_regex = false;
  const std::string pattern = pattern_field(step, "pattern", is_regex);
  const Behavior behavior = behavior_field(step);
  const bool invert = bool_field(step, "invert", false);
  if (!is_regex) {
    const auto next = [pattern](std::string_view word, size_t from, Regex::Match& m) {
      const size_t at = word.find(pattern, from);
      m = {at, at + pattern.size()};
      return at != std::string_view::npos;
    };
    return [=](Words& words) {
      cut_words(words, behavior, [&](auto word, auto& parts) { list_parts(word, invert, parts, next); });
    };
  }
  // Those patterns match everywhere, so that removing the gaps between matches (invert) is the same as isolating.
  const Scanner scan = find_scanner(pattern);
  if (scan && (invert ? behavior == Behavior::removed : behavior == Behavior::isolated)) return split_by_scanner(scan);
  return [behavior, invert, regex = Regex(pattern)](Words& words) {
    const auto next = [&](std::string_view word, size_t from, Regex::Match& m) { return regex.search(word, from, m); };
    cut_words(words, behavior, [&](auto word, auto& parts) { list_parts(word, invert, parts, next); });
  };
}

PreTokenizer make_digits(const Json& step) {
  const Behavior behavior = bool_field(step, "individual_digits", false) ? Behavior::isolated : Behavior::contiguous;
  return [behavior](Words& words) {
    cut_words(words, behavior, [](std::string_view word, std::vector<Part>& parts) {
      size_t done = 0;
      for (size_t at = 0; at < word.size();) {
        const Char c = decode_utf8(word, at);
        if (char_classes()[c.code] & CharClass::number) {
          if (at > done) parts.push_back({{done, at}, false});
          parts.push_back({{at, at + c.bytes}, true});
          done = at + c.bytes;
        }
        at += c.bytes;
      }
      if (done < word.size()) parts.push_back({{done, word.size()}, false});
    });
  };
}

// Rewrites every word through rewrite(word, out); ranges follow.
template <class Rewrite>
void rewrite_words(Words& words, Rewrite rewrite) {
  std::string out;
  out.reserve(words.text.size() + words.text.size() / 2);
  for (Words::Range& r : words.ranges) {
    const size_t begin = out.size();
    rewrite(words.word(r), out);
    r = {begin, out.size()};
  }
  words.text = std::move(out);
}

void map_bytes(Words& words) {
  rewrite_words(words, [](std::string_view word, std::string& out) {
    for (const char c : word) append_utf8(out, byte_to_char()[uint8_t(c)]);
  });
}

PreTokenizer make_byte_level(const Json& step) {
  const bool prefix = bool_field(step, "add_prefix_space", true), regex = bool_field(step, "use_regex", true);
  const PreTokenizer split = split_by_scanner(find_scanner(kGpt2Pattern));
  return [=](Words& words) {
    if (prefix) {
      rewrite_words(words, [](std::string_view word, std::string& out) {
        if (!word.empty() && word[0] != ' ') out += ' ';
        out += word;
      });
    }
    if (regex) split(words);
    map_bytes(words);
  };
}

PreTokenizer make_metaspace(const Json& step) {
  const std::string mark = step.contains("replacement") ? string_field(step, "replacement") : std::string(kMetaspace);
  std::string scheme = string_field(step, "prepend_scheme");
  if (scheme.empty()) scheme = bool_field(step, "add_prefix_space", true) ? "always" : "never";
  if (scheme != "always" && scheme != "never" && scheme != "first") {
    fail(Code::unsupported, "tokenizer: the prepend scheme '%.100s' is not known", scheme.c_str());
  }
  const bool split = bool_field(step, "split", true);
  return [=](Words& words) {
    bool first = words.first;
    rewrite_words(words, [&](std::string_view word, std::string& out) {
      std::string text(word);
      replace_all(text, " ", mark);
      const bool prepend = scheme == "always" || (scheme == "first" && first);
      if (prepend && !text.starts_with(mark)) out += mark;
      out += text;
      first = false;
    });
    if (!split) return;
    cut_words(words, Behavior::merged_with_next, [&](std::string_view word, std::vector<Part>& parts) {
      list_parts(word, false, parts, [&](std::string_view w, size_t from, Regex::Match& m) {
        const size_t at = w.find(mark, from);
        m = {at, at + mark.size()};
        return at != std::string_view::npos;
      });
    });
  };
}

PreTokenizer make_sequence(const Json& step) {
  std::vector<PreTokenizer> all;
  for (const Json& part : step.value("pretokenizers", Json::array())) all.push_back(make_pre_tokenizer(part));
  return [all](Words& words) {
    for (const PreTokenizer& p : all) p(words);
  };
}

struct Row {
  const char* type;
  PreTokenizer (*make)(const Json& step);
};
const Row kPreTokenizers[] = {
    {"ByteLevel", make_byte_level}, {"Digits", make_digits},     {"Metaspace", make_metaspace},
    {"Split", make_split},          {"Sequence", make_sequence},
};

}  // namespace

PreTokenizer make_pre_tokenizer(const Json& step) {
  if (step.is_null()) return {};
  const std::string type = step_type("pre-tokenizer", step);
  for (const Row& row : kPreTokenizers) {
    if (type == row.type) return row.make(step);
  }
  fail_unknown_step("pre-tokenizer", type);
}

}  // namespace loam
