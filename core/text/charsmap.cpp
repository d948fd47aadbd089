// The trie's units follow Darts: 8 bits of label, a flag for a leaf, and an offset (xor) to the children.
#include "core/text/charsmap.h"

#include <utf8proc.h>

#include <cstring>

#include "core/error.h"
#include "core/text/unicode.h"
#include "core/text/unicode_versions.h"

namespace loam {
namespace {

uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t label_of(uint32_t unit) { return unit & (1u << 31 | 0xffu); }
uint32_t value_of(uint32_t leaf) { return leaf & ~(1u << 31); }

// A trie of strangers may point anywhere; entries of real maps are a few characters.
constexpr size_t kLongestEntry = 256;

uint32_t read_u32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t(uint8_t(bytes[at + i])) << (8 * i);
  return value;
}

// Grapheme clusters, where the answer can differ: between two characters below U+0300 only CR LF holds together.
bool breaks_between(uint32_t left, uint32_t right, utf8proc_int32_t& state) {
  if (left >= kInvalidByte || right >= kInvalidByte) {
    state = 0;
    return true;
  }
  if (left < 0x300 && right < 0x300) {
    state = 0;
    return !(left == '\r' && right == '\n');
  }
  constexpr uint32_t kAnyMark = 0x301;
  if (is_new_mark(left)) left = kAnyMark;
  if (is_new_mark(right)) right = kAnyMark;
  return utf8proc_grapheme_break_stateful(utf8proc_int32_t(left), utf8proc_int32_t(right), &state);
}

size_t grapheme_end(std::string_view text, size_t at) {
  utf8proc_int32_t state = 0;
  Char left = decode_utf8(text, at);
  for (at += left.bytes; at < text.size(); at += left.bytes) {
    const Char right = decode_utf8(text, at);
    if (breaks_between(left.code, right.code, state)) break;
    left = right;
  }
  return at;
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes) {
  const size_t trie_bytes = bytes.size() >= 4 ? read_u32(bytes, 0) : 0;
  if (trie_bytes < 4 || trie_bytes % 4 || trie_bytes > bytes.size() - 4) {
    fail(Code::bad_file, "tokenizer: a precompiled charsmap of %zu bytes has a trie of %zu", bytes.size(), trie_bytes);
  }
  units_.resize(trie_bytes / 4);
  for (size_t i = 0; i < units_.size(); ++i) units_[i] = read_u32(bytes, 4 + 4 * i);
  replacements_ = bytes.substr(4 + trie_bytes);
  for (uint32_t b = 1; b < 256; ++b) {
    const uint32_t node = offset_of(units_[0]) ^ b;
    begins_[b] = node < units_.size() && label_of(units_[node]) == b;
  }
}

Charsmap::Hit Charsmap::find(std::string_view text, size_t at, bool first) const {
  if (!begins_[uint8_t(text[at])]) return {};
  Hit hit;
  uint32_t node = offset_of(units_[0]);
  for (size_t i = at; i < text.size() && i - at < kLongestEntry; ++i) {
    const auto byte = uint8_t(text[i]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || label_of(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    const size_t value = node < units_.size() ? value_of(units_[node]) : replacements_.size();
    if (value > replacements_.size()) break;  // damaged
    const std::string_view rest = std::string_view(replacements_).substr(value);
    hit = {i + 1 - at, rest.substr(0, std::min(rest.find('\0'), rest.size()))};
    if (first) break;
  }
  return hit;
}

void apply_by_graphemes(const Charsmap& map, std::string& text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const size_t end = grapheme_end(text, at);
    if (end - at < 6) {
      const Charsmap::Hit hit = map.shortest(std::string_view(text).substr(at, end - at), 0);
      if (hit.bytes > 0) {
        out += hit.replacement;
        at = end;
        continue;
      }
    }
    while (at < end) {
      const Char c = decode_utf8(text, at);
      const std::string_view part = std::string_view(text).substr(at, c.bytes);
      const Charsmap::Hit hit = map.shortest(part, 0);
      out += hit.bytes > 0 ? hit.replacement : part;
      at += c.bytes;
    }
  }
  text = std::move(out);
}

bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4) return false;
  while (text.ends_with('=')) text.remove_suffix(1);
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0, have = 0;
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : text) {
    const char* digit = c ? std::strchr(kDigits, c) : nullptr;
    if (!digit) return false;
    bits = bits << 6 | uint32_t(digit - kDigits);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += char(bits >> have);
    }
  }
  return have < 6;
}

}  // namespace loam
