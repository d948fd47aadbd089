// Linear scanners; the order of the steps is the order of the pattern's alternatives.
#include "core/text/scanners.h"

#include "core/text/unicode.h"

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
    bool newline() const { return bytes && (code == '\r' || code == '\n'); }
  };
  Seen at(size_t place) const {
    if (place >= text.size()) return {};
    const Char c = decode_utf8(text, place);
    return {c.code, c.bytes, classes[c.code]};
  }
  template <class Test>
  size_t run(size_t place, Test test, size_t most = size_t(-1)) const {
    for (Seen s = at(place); s.bytes && most-- && test(s); s = at(place)) place += s.bytes;
    return place;
  }
};

bool is_letter(const Cursor::Seen& s) { return s.letter(); }
bool is_number(const Cursor::Seen& s) { return s.number(); }
bool is_other(const Cursor::Seen& s) { return s.other(); }
bool is_newline(const Cursor::Seen& s) { return s.newline(); }

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

// \s+(?!\S)|\s+ on a run of spaces: all of it at the end of the text, else all but the last, but at least one.
size_t spaces(const Cursor& c, size_t at) {
  size_t last = at, end = at;
  for (auto s = c.at(end); s.space(); s = c.at(end)) {
    last = end;
    end += s.bytes;
  }
  return end == c.text.size() || last == at ? end : last;
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

// \s*[\r\n]+: up to the last newline of the run of spaces. 0: no newline in it.
size_t spaces_to_newline(const Cursor& c, size_t at) {
  size_t after = 0;
  for (auto s = c.at(at); s.space(); s = c.at(at)) {
    at += s.bytes;
    if (s.newline()) after = at;
  }
  return after;
}

size_t scan_any_case(std::string_view text, size_t at, size_t digits) {
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
  if (const size_t end = spaces_to_newline(c, at)) return end;
  return spaces(c, at);
}

size_t scan_qwen2(std::string_view text, size_t at) { return scan_any_case(text, at, 1); }
size_t scan_llama3(std::string_view text, size_t at) { return scan_any_case(text, at, 3); }

const ScannerRow kScanners[] = {
    {kGpt2Pattern, scan_gpt2},
    {kQwen2Pattern, scan_qwen2},
    {kLlama3Pattern, scan_llama3},
};

}  // namespace

Scanner find_scanner(std::string_view pattern) {
  for (const ScannerRow& row : kScanners) {
    if (pattern == row.pattern) return row.scan;
  }
  return nullptr;
}

}  // namespace loam
