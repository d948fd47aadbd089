// Walks over the characters of a text: what the linear scanners share.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/text/unicode.h"

namespace loam {

struct Cursor {
  std::string_view text;
  const uint16_t* classes = char_classes();

  struct Seen {
    uint32_t code = 0, bytes = 0;  // 0 bytes: the end
    uint16_t kind = 0;
    bool letter() const { return kind & CharClass::letter; }
    bool number() const { return kind & CharClass::number; }
    bool space() const { return kind & CharClass::space; }
    bool other() const { return bytes && !(kind & (CharClass::letter | CharClass::number | CharClass::space)); }
    bool mark() const { return kind & CharClass::mark; }
    bool letter_or_mark() const { return kind & (CharClass::letter | CharClass::mark); }
    bool sign() const { return kind & (CharClass::punctuation | CharClass::symbol); }
    bool newline() const { return bytes && (code == '\r' || code == '\n'); }
  };
  Seen at(size_t place) const {
    if (place >= text.size()) return {};
    const auto byte = uint8_t(text[place]);
    if (byte < 0x80) return {byte, 1, classes[byte]};
    const Char c = decode_utf8(text, place);
    return {c.code, c.bytes, classes[c.code]};
  }
  template <class Test>
  size_t run(size_t place, Test test, size_t most = size_t(-1)) const {
    for (Seen s = at(place); s.bytes && most-- && test(s); s = at(place)) place += s.bytes;
    return place;
  }
};

inline bool is_space(const Cursor::Seen& s) { return s.space(); }
inline bool is_letter(const Cursor::Seen& s) { return s.letter(); }
inline bool is_number(const Cursor::Seen& s) { return s.number(); }
inline bool is_other(const Cursor::Seen& s) { return s.other(); }
inline bool is_newline(const Cursor::Seen& s) { return s.newline(); }

// \s+(?!\S)|\s+ on a run of spaces: all of it at the end of the text, else all but the last, but at least one.
inline size_t spaces(const Cursor& c, size_t at) {
  size_t last = at, end = at;
  for (auto s = c.at(end); s.space(); s = c.at(end)) {
    last = end;
    end += s.bytes;
  }
  return end == c.text.size() || last == at ? end : last;
}

// \s*[\r\n]+: up to the last newline of the run of spaces. 0: no newline in it.
inline size_t spaces_to_newline(const Cursor& c, size_t at) {
  size_t after = 0;
  for (auto s = c.at(at); s.space(); s = c.at(at)) {
    at += s.bytes;
    if (s.newline()) after = at;
  }
  return after;
}

}  // namespace loam
