// Pre-tokenizers that cut by the kind of each character.
#include <algorithm>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/pre_tokenizers.h"
#include "core/text/unicode_scripts.h"

namespace loam {
namespace {

PreTokenizer at_class(uint16_t char_class, Behavior behavior) {
  return [=, classes = char_classes()](Words& words) {
    cut_at_chars(words, behavior, [&](Char c) { return classes[c.code] & char_class; });
  };
}

// \w+|[^\w\s]+ : runs of one of the two kinds, spaces dropped.
void cut_names_and_signs(Words& words) {
  const uint16_t* classes = char_classes();
  std::vector<Words::Range> out;
  for (const Words::Range r : words.ranges) {
    size_t at = r.begin;
    uint16_t last = CharClass::space;
    for_each_char(words.word(r), [&](Char c) {
      const uint16_t kind = classes[c.code] & (CharClass::name | CharClass::space);
      if (!(kind & CharClass::space)) {
        if (kind != last) out.push_back({at, at});
        out.back().end = at + c.bytes;
      }
      last = kind;
      at += c.bytes;
    });
  }
  words.ranges = std::move(out);
}

// Words of one script each. Characters of any script go with what is before them; leading ones are lost, as the
// reference does.
void cut_scripts(Words& words) {
  const uint8_t* scripts = char_scripts();
  std::vector<Words::Range> out;
  for (const Words::Range r : words.ranges) {
    size_t at = r.begin;
    uint8_t last = kAnyScript;
    for_each_char(words.word(r), [&](Char c) {
      const uint8_t script = c.code < kInvalidByte ? scripts[c.code] : kAnyScript;
      if (script != kAnyScript) {
        if (script != last) out.push_back({at, at});
        last = script;
      }
      at += c.bytes;
      if (last != kAnyScript) out.back().end = at;
    });
  }
  words.ranges = std::move(out);
}

}  // namespace

PreTokenizer make_whitespace(const Json&) { return cut_names_and_signs; }
PreTokenizer make_whitespace_split(const Json&) { return at_class(CharClass::space, Behavior::removed); }

PreTokenizer make_punctuation(const Json& step) {
  return at_class(CharClass::bert_punctuation, step.contains("behavior") ? behavior_field(step) : Behavior::isolated);
}

PreTokenizer make_digits(const Json& step) {
  const bool individual = bool_field(step, "individual_digits", false);
  return at_class(CharClass::numeric, individual ? Behavior::isolated : Behavior::contiguous);
}

PreTokenizer make_bert_pre_tokenizer(const Json&) {
  return [spaces = at_class(CharClass::space, Behavior::removed),
          signs = at_class(CharClass::bert_punctuation, Behavior::isolated)](Words& words) {
    spaces(words);
    signs(words);
  };
}

PreTokenizer make_char_delimiter_split(const Json& step) {
  const std::string delimiter = string_field(step, "delimiter");
  const Char c = delimiter.empty() ? Char{0, 0} : decode_utf8(delimiter, 0);
  if (delimiter.empty() || c.bytes != delimiter.size()) {
    fail(Code::bad_file, "tokenizer: the delimiter '%.100s' is not one character", delimiter.c_str());
  }
  return [code = c.code](Words& words) {
    cut_at_chars(words, Behavior::removed, [&](Char at) { return at.code == code; });
  };
}

PreTokenizer make_fixed_length(const Json& step) {
  const int64_t length = step.value("length", int64_t(5));
  if (length < 1) fail(Code::bad_file, "tokenizer: FixedLength has the length %lld", static_cast<long long>(length));
  return [length](Words& words) {
    std::vector<Words::Range> out;
    for (const Words::Range r : words.ranges) {
      int64_t count = 0;
      size_t at = r.begin;
      for_each_char(words.word(r), [&](Char c) {
        if (count++ % length == 0) out.push_back({at, at});
        out.back().end = at += c.bytes;
      });
    }
    words.ranges = std::move(out);
  };
}

PreTokenizer make_unicode_scripts(const Json&) { return cut_scripts; }

}  // namespace loam
