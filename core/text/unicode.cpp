// UTF-8, and classes from Oniguruma's tables (the ones that the regexes of tokenizers use).
#include "core/text/unicode.h"

#include <oniguruma.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/text/unicode_versions.h"

namespace loam {
namespace {

struct ClassRow {
  const char* property;
  uint16_t bits;
};
using C = CharClass;
const ClassRow kClasses[] = {
    {"Lu", C::letter | C::upper},
    {"Lt", C::letter | C::upper},
    {"Ll", C::letter | C::lower},
    {"Lm", C::letter | C::caseless},
    {"Lo", C::letter | C::caseless},
    {"N", C::number | C::numeric},
    {"Nd", C::name},
    {"Space", C::space},
    {"Word", C::word},
    {"M", C::mark | C::accent | C::name},
    {"Mn", C::bert_mark},
    {"P", C::punctuation | C::bert_punctuation},
    {"Pc", C::name},
    {"S", C::symbol},
    {"Han", C::han},
    {"Alphabetic", C::name},
    {"Join_Control", C::name},
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Table = std::unique_ptr<uint16_t[], Free>;

Table make_classes() {
  // Zero pages from the system cost nothing until they are written; most code points have no class.
  Table table(static_cast<uint16_t*>(std::calloc(kInvalidByte + 256, sizeof(uint16_t))));
  if (!table) fail(Code::out_of_memory, "no memory for the table of character classes");
  for (const ClassRow& row : kClasses) {
    for_each_range(row.property, [&](uint32_t first, uint32_t last) {
      for (uint32_t code = first; code <= last; ++code) table[code] |= row.bits;
    });
  }
  for (const char* c = "$+<=>^`|~"; *c; ++c) table[uint8_t(*c)] |= C::bert_punctuation;  // ASCII symbols
  for (const ClassChange& change : class_changes()) {
    for (const CodeRange& r : change.ranges) {
      for (uint32_t code = r.first; code <= r.last; ++code)
        table[code] = uint16_t((table[code] & ~change.clear) | change.set);
    }
  }
  return table;
}

}  // namespace

void for_each_range(const char* property, const std::function<void(uint32_t first, uint32_t last)>& f) {
  OnigEncoding utf8 = ONIG_ENCODING_UTF8;
  static const int initialized = onig_initialize(&utf8, 1);
  auto* begin = reinterpret_cast<OnigUChar*>(const_cast<char*>(property));  // the API lacks const
  const int ctype = utf8->property_name_to_ctype(utf8, begin, begin + std::strlen(property));
  OnigCodePoint sb_out = 0;
  const OnigCodePoint* ranges = nullptr;
  if (initialized != 0 || ctype < 0 || utf8->get_ctype_code_range(OnigCtype(ctype), &sb_out, &ranges) != 0 || !ranges)
    fail(Code::internal, "Oniguruma has no character class '%s'", property);
  for (OnigCodePoint i = 0; i < ranges[0]; ++i)
    f(ranges[1 + 2 * i], std::min<OnigCodePoint>(ranges[2 + 2 * i], kInvalidByte - 1));
}

Char decode_utf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[at + i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const uint32_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size() - at) return {kInvalidByte + lead, 1};
  uint32_t code = lead & (0xffu >> (length + 1));
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {kInvalidByte + lead, 1};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kSmallest[length] || surrogate || code >= kInvalidByte) return {kInvalidByte + lead, 1};
  return {code, length};
}

void append_utf8(std::string& to, uint32_t code) {
  const auto tail = [&](int shift) { to += char(0x80 | (code >> shift & 0x3f)); };
  if (code >= kInvalidByte) {
    to += char(code - kInvalidByte);
  } else if (code < 0x80) {
    to += char(code);
  } else if (code < 0x800) {
    to += char(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    to += char(0xe0 | code >> 12);
    tail(6), tail(0);
  } else {
    to += char(0xf0 | code >> 18);
    tail(12), tail(6), tail(0);
  }
}

const uint16_t* char_classes() {
  static const Table table = make_classes();
  return table.get();
}

Char char_before(std::string_view text, size_t at) {
  size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && (uint8_t(text[begin]) & 0xc0) == 0x80) --begin;
  const Char c = decode_utf8(text, begin);
  return begin + c.bytes == at ? c : Char{kInvalidByte + uint8_t(text[at - 1]), 1};
}

size_t skip_spaces(std::string_view text, size_t at) {
  while (at < text.size()) {
    const Char c = decode_utf8(text, at);
    if (!(char_classes()[c.code] & CharClass::space)) break;
    at += c.bytes;
  }
  return at;
}

size_t skip_spaces_back(std::string_view text, size_t at, size_t least) {
  while (at > least) {
    const Char c = char_before(text, at);
    if (!(char_classes()[c.code] & CharClass::space)) break;
    at -= c.bytes;
  }
  return at < least ? least : at;
}

}  // namespace loam
