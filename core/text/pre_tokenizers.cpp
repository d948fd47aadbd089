// Pre-tokenizers: how a stretch of text is cut into the words that the model sees.
#include "core/text/pre_tokenizers.h"

#include <algorithm>

#include <utility>

#include "core/error.h"
#include "core/text/digit_groups.h"
#include "core/text/json.h"
#include "core/text/scanners.h"
#include "core/text/spaced_class.h"

namespace loam {

Behavior behavior_field(const Json& step) {
  const std::string name = string_field(step, "behavior");
  constexpr const char* kNames[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  for (int i = 0; i < 5; ++i) {
    if (name == kNames[i]) return Behavior(i);
  }
  fail(Code::unsupported, "tokenizer: the split behavior '%.100s' is not known", name.c_str());
}

void apply_behavior(const std::vector<Part>& parts, Behavior behavior, size_t offset, std::vector<Words::Range>& out) {
  bool last_match = false;
  const size_t start = out.size();
  for (const Part& p : parts) {
    const bool has_previous = out.size() > start;
    bool join = false;
    if (behavior == Behavior::removed && p.match) continue;
    if (behavior == Behavior::merged_with_previous) join = p.match && has_previous && !last_match;
    if (behavior == Behavior::merged_with_next) join = last_match && !p.match;
    if (behavior == Behavior::contiguous) join = has_previous && p.match == last_match;
    if (join)
      out.back().end = p.range.end + offset;
    else
      out.push_back({p.range.begin + offset, p.range.end + offset});
    last_match = p.match;
  }
  const auto empty = [](const Words::Range& r) { return r.begin == r.end; };
  out.erase(std::remove_if(out.begin() + ptrdiff_t(start), out.end(), empty), out.end());
}

namespace {

// scan: a Scanner, or a function like one.
template <class Scan>
PreTokenizer split_by_scanner(Scan scan) {
  return [scan](Words& words) {
    std::vector<Words::Range> out;
    out.reserve(words.ranges.size() + words.text.size() / 6);
    for (const Words::Range r : words.ranges) {
      const std::string_view word = words.word(r);
      size_t done = 0;  // what lies between matches stays together
      for (size_t at = 0; at < word.size();) {
        const size_t end = scan(word, at);
        if (end == at) {
          at += decode_utf8(word, at).bytes;
          continue;
        }
        if (at > done) out.push_back({r.begin + done, r.begin + at});
        out.push_back({r.begin + at, r.begin + end});
        done = at = end;
      }
      if (done < word.size()) out.push_back({r.begin + done, r.end});
    }
    words.ranges = std::move(out);
  };
}

PreTokenizer split_by_string(const std::string& pattern, Behavior behavior, bool invert) {
  return [=](Words& words) {
    cut_words(words, behavior, [&](std::string_view word, std::vector<Part>& parts) {
      list_parts(word, invert, parts, [&, from = size_t(0)](Regex::Match& m) mutable {
        const size_t at = word.find(pattern, from);
        if (at == std::string_view::npos) return false;
        m = {at, from = at + pattern.size()};
        return true;
      });
    });
  };
}

PreTokenizer split_by_cutter(Cutter cut) {
  return [cut](Words& words) {
    std::vector<Words::Range> out;
    std::vector<size_t> ends;
    for (const Words::Range r : words.ranges) {
      ends.clear();
      cut(words.word(r), ends);
      size_t begin = r.begin;
      for (const size_t end : ends) out.push_back({std::exchange(begin, r.begin + end), r.begin + end});
    }
    words.ranges = std::move(out);
  };
}

PreTokenizer make_split(const Json& step) {
  bool is_regex = false;
  const std::string pattern = pattern_field(step, "pattern", is_regex);
  const Behavior behavior = behavior_field(step);
  const bool invert = bool_field(step, "invert", false);
  if (!is_regex && !pattern.empty()) return split_by_string(pattern, behavior, invert);
  // Where a pattern matches everywhere, removing the gaps between matches (invert) is the same as isolating.
  if (const ScannerRow* row = find_scanner(pattern)) {
    const bool removes_gaps = invert && behavior == Behavior::removed && row->everywhere;
    if (removes_gaps || (!invert && behavior == Behavior::isolated)) return split_by_scanner(row->scan);
  }
  if (const Cutter cut = find_cutter(pattern); cut && behavior == Behavior::isolated && !invert) {
    return split_by_cutter(cut);
  }
  if (const auto spaced = SpacedClass::parse(pattern); spaced && behavior == Behavior::isolated && !invert) {
    return split_by_scanner([spaced](std::string_view text, size_t at) { return spaced->scan(text, at); });
  }
  return [behavior, invert, regex = Regex(pattern)](Words& words) {
    RegexSearch search(regex);
    cut_words(words, behavior, [&](std::string_view word, std::vector<Part>& parts) {
      search.start(word);
      list_parts(word, invert, parts, [&](Regex::Match& m) { return search.next(m); });
    });
  };
}

PreTokenizer make_byte_level(const Json& step) {
  const bool prefix = bool_field(step, "add_prefix_space", true), regex = bool_field(step, "use_regex", true);
  const PreTokenizer split = split_by_scanner(find_scanner(kGpt2Pattern)->scan);
  return [=](Words& words) {
    if (prefix) {
      rewrite_words(words, [](std::string_view word, std::string& out) {
        if (!word.empty() && word[0] != ' ') out += ' ';
        out += word;
      });
    }
    if (regex) split(words);
    rewrite_words(words, [](std::string_view word, std::string& out) { append_byte_chars(out, word); });
  };
}

std::string metaspace_scheme(const Json& step) {
  std::string scheme = string_field(step, "prepend_scheme");
  const bool prefix = bool_field(step, "add_prefix_space", true);
  if (scheme.empty()) scheme = prefix ? "always" : "never";
  if (scheme != "always" && scheme != "never" && scheme != "first") {
    fail(Code::unsupported, "tokenizer: the prepend scheme '%.100s' is not known", scheme.c_str());
  }
  return scheme;
}

void append_replaced(std::string& out, std::string_view text, char from, std::string_view to) {
  for (size_t done = 0; done < text.size();) {
    const size_t at = std::min(text.find(from, done), text.size());
    out.append(text, done, at - done);
    if (at < text.size()) out += to;
    done = at + 1;
  }
}

PreTokenizer make_metaspace(const Json& step) {
  const std::string mark = step.contains("replacement") ? string_field(step, "replacement") : std::string(kMetaspace);
  if (mark.empty()) fail(Code::bad_file, "tokenizer: Metaspace has no replacement");
  const std::string scheme = metaspace_scheme(step);
  const bool split = bool_field(step, "split", true);
  const PreTokenizer cut = split_by_string(mark, Behavior::merged_with_next, false);
  return [=](Words& words) {
    const bool always = scheme == "always", first = scheme == "first" && words.first;
    rewrite_words(words, [&, place = words.text.data()](std::string_view word, std::string& out) {
      const bool prepend = always || (first && word.data() == place);
      if (prepend && !word.empty() && !word.starts_with(' ') && !word.starts_with(mark)) out += mark;
      append_replaced(out, word, ' ', mark);
    });
    if (split) cut(words);
  };
}

PreTokenizer make_sequence(const Json& step) {
  std::vector<PreTokenizer> all;
  for (const Json& part : step.value("pretokenizers", Json::array())) {
    if (PreTokenizer p = make_pre_tokenizer(part)) all.push_back(std::move(p));
  }
  return [all](Words& words) {
    for (const PreTokenizer& p : all) p(words);
  };
}

const PreTokenizerRow kPreTokenizers[] = {
    {"ByteLevel", make_byte_level},
    {"Split", make_split},
    {"Metaspace", make_metaspace},
    {"Digits", make_digits},
    {"Whitespace", make_whitespace},
    {"WhitespaceSplit", make_whitespace_split},
    {"Punctuation", make_punctuation},
    {"BertPreTokenizer", make_bert_pre_tokenizer},
    {"UnicodeScripts", make_unicode_scripts},
    {"CharDelimiterSplit", make_char_delimiter_split},
    {"FixedLength", make_fixed_length},
    {"Sequence", make_sequence},
};

}  // namespace

PreTokenizer make_pre_tokenizer(const Json& step) {
  if (step.is_null()) return {};
  const std::string type = step_type("pre-tokenizer", step);
  for (const PreTokenizerRow& row : kPreTokenizers) {
    if (type == row.type) return row.make(step);
  }
  fail_unknown_step("pre-tokenizer", type);
}

}  // namespace loam
