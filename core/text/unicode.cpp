// UTF-8, classes from Oniguruma's tables (the ones that the regexes of tokenizers use), NFC by utf8proc's.
#include "core/text/unicode.h"

#include <oniguruma.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"

namespace loam {
namespace {

void mark_class(uint8_t* table, const char* name, uint8_t bit) {
  auto* begin = reinterpret_cast<OnigUChar*>(const_cast<char*>(name));  // the API lacks const
  OnigEncoding utf8 = ONIG_ENCODING_UTF8;
  const int ctype = utf8->property_name_to_ctype(utf8, begin, begin + std::strlen(name));
  OnigCodePoint sb_out = 0;
  const OnigCodePoint* ranges = nullptr;
  if (ctype < 0 || utf8->get_ctype_code_range(OnigCtype(ctype), &sb_out, &ranges) != 0 || !ranges) {
    fail(Code::internal, "Oniguruma has no character class '%s'", name);
  }
  for (OnigCodePoint i = 0; i < ranges[0]; ++i) {
    const OnigCodePoint last = std::min<OnigCodePoint>(ranges[2 + 2 * i], kInvalidByte - 1);
    for (OnigCodePoint code = ranges[1 + 2 * i]; code <= last; ++code) table[code] |= bit;
  }
}

std::unique_ptr<uint8_t[]> make_classes() {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  onig_initialize(encodings, 1);
  auto table = std::make_unique<uint8_t[]>(kInvalidByte + 256);
  mark_class(table.get(), "L", CharClass::letter);
  mark_class(table.get(), "N", CharClass::number);
  mark_class(table.get(), "Space", CharClass::space);
  mark_class(table.get(), "Word", CharClass::word);
  return table;
}

// Combining marks younger than Unicode 9, and one later composition: the tables that Hugging Face's tokenizers (and so
// the models) use do not know them, so they stand for themselves.
constexpr uint32_t kUnordered[][2] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},     {0xc3c, 0xc3c},
    {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},   {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},
    {0xa82c, 0xa82c},   {0x10d24, 0x10d27}, {0x10eab, 0x10eac}, {0x10efd, 0x10eff}, {0x10f46, 0x10f50},
    {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e}, {0x11839, 0x1183a},
    {0x11930, 0x11938}, {0x1193d, 0x1193e}, {0x11943, 0x11943}, {0x119e0, 0x119e0}, {0x11a34, 0x11a34},
    {0x11a47, 0x11a47}, {0x11a99, 0x11a99}, {0x11d42, 0x11d42}, {0x11d44, 0x11d45}, {0x11d97, 0x11d97},
    {0x11f41, 0x11f42}, {0x16ff0, 0x16ff1}, {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae},
    {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef},
};

bool is_unordered(uint32_t code) {
  const auto* after = std::upper_bound(std::begin(kUnordered), std::end(kUnordered), code,
                                       [](uint32_t c, const uint32_t* range) { return c < range[0]; });
  return after != std::begin(kUnordered) && code <= after[-1][1];
}

using Codes = std::vector<utf8proc_int32_t>;

void compose(Codes& codes, std::string& out) {
  const auto combining = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
  // utf8proc orders marks by insertion, which is quadratic on long runs; so we order them here.
  for (size_t i = 0; i < codes.size();) {
    size_t end = i;
    while (end < codes.size() && combining(codes[end])) ++end;
    std::stable_sort(codes.begin() + ptrdiff_t(i), codes.begin() + ptrdiff_t(end),
                     [&](auto a, auto b) { return combining(a) < combining(b); });
    i = end + 1;
  }
  const auto options = utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto count = utf8proc_normalize_utf32(codes.data(), utf8proc_ssize_t(codes.size()), options);
  if (count < 0) fail(Code::internal, "utf8proc: %s", utf8proc_errmsg(count));
  for (utf8proc_ssize_t i = 0; i < count; ++i) append_utf8(out, uint32_t(codes[size_t(i)]));
  codes.clear();
}

void decompose(uint32_t code, Codes& codes) {
  utf8proc_int32_t parts[8];
  int boundary = 0;
  const auto options = utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
  const auto count = utf8proc_decompose_char(utf8proc_int32_t(code), parts, 8, options, &boundary);
  if (count < 0 || count > 8) fail(Code::internal, "utf8proc cannot decompose U+%04X", code);
  codes.insert(codes.end(), parts, parts + count);
}

}  // namespace

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

const uint8_t* char_classes() {
  static const std::unique_ptr<uint8_t[]> table = make_classes();
  return table.get();
}

void normalize_nfc(std::string& text) {
  // Below U+0300 (lead byte 0xcc) every text is its own NFC.
  if (std::all_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0xcc; })) return;
  std::string out;
  out.reserve(text.size());
  Codes codes;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code >= kInvalidByte || is_unordered(c.code)) {
      compose(codes, out);
      append_utf8(out, c.code);
    } else {
      decompose(c.code, codes);
    }
    at += c.bytes;
  }
  compose(codes, out);
  text = std::move(out);
}

}  // namespace loam
