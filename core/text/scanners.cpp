// Linear scanners; the order of the steps is the order of the pattern's alternatives.
#include "core/text/scanners.h"

#include <string>

#include "core/text/scan_cursor.h"
#include "core/text/steps.h"

namespace loam {

const char* const kGpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char* const kQwen2Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+";
const char* const kLlama3Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+";

namespace {

// 's 't 're 've 'm 'll 'd; any_case also takes capitals and the long s, as (?i:) does. 0: none here.
size_t contraction(const Cursor& c, size_t at, bool any_case) {
  const auto lower = [&](size_t place) -> uint32_t {
    const uint32_t code = c.at(place).code;
    if (!any_case) return code;
    if (code == 0x17f) return 's';
    return code >= 'A' && code <= 'Z' ? code + 32 : code;
  };
  const uint32_t first = lower(at + 1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 1 + c.at(at + 1).bytes;
  const uint32_t second = first ? lower(at + 2) : 0;
  const bool two =
      (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
  return two ? at + 3 : 0;
}

size_t scan_gpt2(std::string_view text, size_t at) {
  const Cursor c{text};
  const auto head = c.at(at);
  if (head.code == '\'') {
    if (const size_t end = contraction(c, at, false)) return end;
  }
  const size_t body = head.code == ' ' ? at + 1 : at;
  const auto s = c.at(body);
  if (s.letter()) return c.run(body, is_letter);
  if (s.number()) return c.run(body, is_number);
  if (s.other()) return c.run(body, is_other);
  return spaces(c, at);
}

size_t newlines_or_spaces(const Cursor& c, size_t at) {
  const size_t end = spaces_to_newline(c, at);
  return end ? end : spaces(c, at);
}

// \s*[\r\n]+|\s{512}(?!\S)| ... |\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}
size_t newlines_or_powers(const Cursor& c, size_t at) {
  constexpr size_t kMost = 512;
  // Behind a space that is no newline, the place before has found that no newline follows: a look would be quadratic.
  const Char before = at ? char_before(c.text, at) : Char{'\n', 1};
  const bool known = c.classes[before.code] & CharClass::space && before.code != '\n' && before.code != '\r';
  if (const size_t end = known ? 0 : spaces_to_newline(c, at)) return end;
  size_t count = 0, end = at;
  for (auto s = c.at(end); s.space() && count <= kMost; s = c.at(end)) ++count, end += s.bytes;
  if (end < c.text.size()) count = count > 1 ? count - 1 : 1;  // the last one goes before what follows
  size_t piece = kMost;
  while (piece > count) piece /= 2;
  return c.run(at, is_space, piece);
}

using SpaceRule = size_t (*)(const Cursor& c, size_t at);

size_t scan_any_case(std::string_view text, size_t at, size_t digits, SpaceRule space_rule = newlines_or_spaces) {
  const Cursor c{text};
  const auto head = c.at(at);
  if (head.code == '\'') {
    if (const size_t end = contraction(c, at, true)) return end;
  }
  if (head.letter()) return c.run(at, is_letter);
  if (head.number()) return c.run(at, is_number, digits);
  if (!head.newline() && c.at(at + head.bytes).letter()) return c.run(at + head.bytes, is_letter);
  const size_t body = head.code == ' ' ? at + 1 : at;
  if (c.at(body).other()) return c.run(c.run(body, is_other), is_newline);
  return space_rule(c, at);
}

size_t scan_qwen2(std::string_view text, size_t at) { return scan_any_case(text, at, 1); }
size_t scan_llama3(std::string_view text, size_t at) { return scan_any_case(text, at, 3); }
size_t scan_jais2(std::string_view text, size_t at) { return scan_any_case(text, at, 3, newlines_or_powers); }

// As above, but marks count as letters.
size_t scan_qwen35(std::string_view text, size_t at) {
  const Cursor c{text};
  const auto word = [](const Cursor::Seen& s) { return s.letter_or_mark(); };
  const auto sign = [](const Cursor::Seen& s) { return s.other() && !s.mark(); };
  const auto head = c.at(at);
  if (head.code == '\'') {
    if (const size_t end = contraction(c, at, true)) return end;
  }
  if (head.letter_or_mark()) return c.run(at, word);
  if (head.number()) return at + head.bytes;
  if (!head.newline() && c.at(at + head.bytes).letter_or_mark()) return c.run(at + head.bytes, word);
  const size_t body = head.code == ' ' ? at + 1 : at;
  if (sign(c.at(body))) return c.run(c.run(body, sign), is_newline);
  if (const size_t end = spaces_to_newline(c, at)) return end;
  return spaces(c, at);
}

// Words of capitals and then small letters; caseless letters and marks are both.
struct CasedWord {
  static constexpr uint16_t kBoth = CharClass::caseless | CharClass::mark;
  static constexpr uint16_t kUpper = CharClass::upper | kBoth, kLower = CharClass::lower | kBoth;
  const Cursor& c;
  uint16_t outside;  // classes that are in no word

  bool is(const Cursor::Seen& s, uint16_t classes) const { return s.kind & classes && !(s.kind & outside); }
  // upper*lower+ from `at`: its end, or 0; `capitals`: the end of upper*.
  size_t to_lower(size_t at, size_t& capitals) const {
    size_t last_both = 0;
    auto s = c.at(at);
    for (; is(s, kUpper); s = c.at(at)) {
      at += s.bytes;
      if (s.kind & kBoth) last_both = at;
    }
    capitals = at;
    if (!is(s, kLower)) return last_both;  // the capitals give back what may be small
    return c.run(at, [&](const Cursor::Seen& x) { return is(x, kLower); });
  }
  // [^\r\n\p{L}\p{N}]? upper* lower+ | [^\r\n\p{L}\p{N}]? upper+ lower*
  size_t find(size_t at, const Cursor::Seen& head) const {
    const bool prefix = head.bytes && !head.newline() && !head.letter() && !head.number();
    size_t with = 0, without = 0;
    if (prefix) {
      if (const size_t end = to_lower(at + head.bytes, with)) return end;
    }
    if (const size_t end = to_lower(at, without)) return end;
    if (prefix && with > at + head.bytes) return with;
    return without > at ? without : 0;
  }
};

struct CasedRules {
  bool contractions, slashes, han;
  size_t digits;
};

template <CasedRules kRules>
size_t scan_cased(std::string_view text, size_t at) {
  const Cursor c{text};
  const auto head = c.at(at);
  const auto is_han = [](const Cursor::Seen& s) { return bool(s.kind & CharClass::han); };
  if (kRules.han && is_han(head)) return c.run(at, is_han);
  if (const size_t end = CasedWord{c, kRules.han ? CharClass::han : uint16_t(0)}.find(at, head)) {
    const size_t tail = kRules.contractions && c.at(end).code == '\'' ? contraction(c, end, true) : 0;
    return tail ? tail : end;
  }
  if (head.number()) return c.run(at, is_number, kRules.digits);
  const size_t body = head.code == ' ' ? at + 1 : at;
  if (c.at(body).other()) {
    return c.run(c.run(body, is_other),
                 [](const Cursor::Seen& s) { return s.newline() || (kRules.slashes && s.code == '/'); });
  }
  if (const size_t end = spaces_to_newline(c, at)) return end;
  return spaces(c, at);
}

bool is_ascii_letter(const Cursor::Seen& s) {
  return (s.code | 0x20) >= 'a' && (s.code | 0x20) <= 'z' && s.code < 0x80;
}

size_t scan_deepseek(std::string_view text, size_t at) {
  const Cursor c{text};
  const auto word = [](const Cursor::Seen& s) { return s.letter_or_mark(); };
  const auto sign = [](const Cursor::Seen& s) { return s.sign(); };
  const auto head = c.at(at);
  if (head.code < 0x80 && head.sign() && is_ascii_letter(c.at(at + 1))) return c.run(at + 1, is_ascii_letter);
  if (head.letter_or_mark()) return c.run(at, word);
  if (!head.newline() && !head.sign() && c.at(at + head.bytes).letter_or_mark()) return c.run(at + head.bytes, word);
  const size_t body = head.code == ' ' ? at + 1 : at;
  if (c.at(body).sign()) return c.run(c.run(body, sign), is_newline);
  if (!head.space()) return at;  // numbers, control characters
  if (const size_t end = spaces_to_newline(c, at)) return end;
  return spaces(c, at);
}

// \s?X+ for a class X that has no spaces.
template <uint16_t kClass>
size_t scan_spaced(std::string_view text, size_t at) {
  const Cursor c{text};
  const auto in_class = [](const Cursor::Seen& s) { return bool(s.kind & kClass); };
  const auto head = c.at(at);
  const size_t body = head.space() ? at + head.bytes : at, end = c.run(body, in_class);
  return end > body ? end : at;
}

// \s+$, where $ is the end of the text or of a line. Behind a space the place before has seen the whole run.
size_t scan_last_spaces(std::string_view text, size_t at) {
  const Cursor c{text};
  if (at > 0 && c.classes[char_before(text, at).code] & CharClass::space) return at;
  size_t line_end = at, end = at;
  for (auto s = c.at(end); s.space(); s = c.at(end)) {
    if (s.code == '\n') line_end = end;
    end += s.bytes;
  }
  return end == text.size() ? end : line_end;
}

template <size_t kMost>
size_t scan_numbers(std::string_view text, size_t at) {
  return Cursor{text}.run(at, is_number, kMost);
}

size_t scan_newline(std::string_view text, size_t at) { return Cursor{text}.run(at, is_newline, 1); }

size_t scan_ideographs_and_kana(std::string_view text, size_t at) {
  return Cursor{text}.run(at, [](const Cursor::Seen& s) {
    return (s.code >= 0x4e00 && s.code <= 0x9fa5) || (s.code >= 0x3040 && s.code <= 0x30ff);
  });
}

size_t scan_ideographs_to_hangul(std::string_view text, size_t at) {
  return Cursor{text}.run(at, [](const Cursor::Seen& s) {
    return (s.code >= 0x800 && s.code <= 0x9fa5) || (s.code >= 0xac00 && s.code <= 0xd7ff);
  });
}

#define LOAM_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LOAM_SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LOAM_PREFIX "[^\\r\\n\\p{L}\\p{N}]?"
#define LOAM_UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOAM_LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define LOAM_CASED(upper, lower, end) LOAM_PREFIX upper "*" lower "+" end "|" LOAM_PREFIX upper "+" lower "*" end "|"
#define LOAM_NOT_HAN(set) "[" set "&&[^\\p{Han}]]"

constexpr CasedRules kO200k = {true, true, false, 3}, kTekken = {false, true, false, 1}, kKimi = {true, false, true, 3};

const ScannerRow kScanners[] = {
    {kGpt2Pattern, scan_gpt2, true},
    {kQwen2Pattern, scan_qwen2, true},
    {kLlama3Pattern, scan_llama3, true},
    {LOAM_CONTRACTIONS "|" LOAM_PREFIX "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LOAM_SPACES,
     scan_qwen35, true},
    {LOAM_CASED("[" LOAM_UPPER "]", "[" LOAM_LOWER "]",
                LOAM_CONTRACTIONS "?") "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" LOAM_SPACES,
     scan_cased<kO200k>, true},
    {LOAM_CASED("[" LOAM_UPPER "]", "[" LOAM_LOWER "]", "") "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" LOAM_SPACES,
     scan_cased<kTekken>, true},
    {"[\\p{Han}]+|" LOAM_CASED(LOAM_NOT_HAN(LOAM_UPPER), LOAM_NOT_HAN(LOAM_LOWER),
                               LOAM_CONTRACTIONS "?") "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" LOAM_SPACES,
     scan_cased<kKimi>, true},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
     "?[\\p{P}\\p{S}]+[\\r\\n]*|" LOAM_SPACES,
     scan_deepseek, false},
    {LOAM_CONTRACTIONS "|" LOAM_PREFIX "\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
                       "\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|"
                       "\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}",
     scan_jais2, true},
    {"\\s?\\p{L}+", scan_spaced<CharClass::letter>, false},
    {"\\s?\\p{P}+", scan_spaced<CharClass::punctuation>, false},
    {"\\s+$", scan_last_spaces, false},
    {"\\p{N}{1,3}", scan_numbers<3>, false},
    {"\\p{N}", scan_numbers<1>, false},
    {"\\p{N}+", scan_numbers<size_t(-1)>, false},
    {"[\\r\\n]", scan_newline, false},
    {"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", scan_ideographs_and_kana, false},
    {"[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", scan_ideographs_to_hangul, false},
};

}  // namespace

std::span<const ScannerRow> all_scanners() { return kScanners; }

const ScannerRow* find_scanner(std::string_view pattern) {
  std::string spelled(pattern);  // some files have the characters where others have their escapes
  replace_all(spelled, "\r", "\\r");
  replace_all(spelled, "\n", "\\n");
  for (const ScannerRow& row : kScanners) {
    if (spelled == row.pattern) return &row;
  }
  return nullptr;
}

}  // namespace loam
