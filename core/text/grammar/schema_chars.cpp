// Characters of JSON strings, and the classes of characters that regular expressions name.
#include <algorithm>

#include "core/text/grammar/schema_parts.h"
#include "core/text/json.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

using Ranges = std::vector<CharRange>;

// Where ECMA-262 and Python disagree about a class, its members are what both allow.
Ranges unicode_class(unsigned bits) {
  const auto* const classes = char_classes();
  Ranges out;
  for (uint32_t c = 0x80; c <= 0x10FFFF; ++c) {
    if (!(classes[c] & bits)) continue;
    if (!out.empty() && out.back().high + 1 == c)
      ++out.back().high;
    else
      out.push_back({c, c});
  }
  return out;
}

Ranges join(Ranges a, const Ranges& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Ranges digits() { return {{'0', '9'}}; }
Ranges word() { return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; }
Ranges space() {
  return {{9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
          {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
}
Ranges not_digits() { return other_chars(join(digits(), unicode_class(CharClass::number))); }
Ranges not_word() {
  return other_chars(join(word(), unicode_class(CharClass::word | CharClass::letter | CharClass::number)));
}
Ranges not_space() { return other_chars(join(space(), {{0x1C, 0x1F}, {0x85, 0x85}, {0xFEFF, 0xFEFF}})); }

}  // namespace

bool pattern_class(char c, std::vector<CharRange>& out) {
  static constexpr std::pair<char, Ranges (*)()> kClasses[] = {{'d', digits},     {'w', word},     {'s', space},
                                                               {'D', not_digits}, {'W', not_word}, {'S', not_space}};
  for (const auto& [letter, make] : kClasses) {
    if (c != letter) continue;
    out = make();
    return true;
  }
  return false;
}

Grammar::Id json_char(Grammar& g, const std::vector<CharRange>& ranges) {
  static constexpr std::pair<uint32_t, const char*> kShort[] = {{'"', "\\\""}, {'\\', "\\\\"}, {8, "\\b"}, {12, "\\f"},
                                                                {10, "\\n"},   {13, "\\r"},    {9, "\\t"}};
  const auto has = [&](uint32_t code) {
    return std::any_of(ranges.begin(), ranges.end(), [&](CharRange r) { return r.low <= code && code <= r.high; });
  };
  const Ranges special{{0, 31}, {'"', '"'}, {'\\', '\\'}};
  Ranges outside = other_chars(ranges);
  outside.insert(outside.end(), special.begin(), special.end());
  std::vector<Grammar::Id> parts{g.chars(other_chars(outside))};
  for (const auto& [code, text] : kShort)
    if (has(code)) parts.push_back(g.text(text));
  for (uint32_t code = 0; code < 32; ++code) {
    if (!has(code) || (code >= 8 && code <= 13 && code != 11)) continue;
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", code);
    parts.push_back(g.text(text));
  }
  return g.choice(std::move(parts));
}

Grammar::Id json_text(Grammar& g, std::string_view text) {
  const std::string quoted = Schema(std::string(text)).dump();
  return g.text(std::string_view(quoted).substr(1, quoted.size() - 2));
}

}  // namespace loam
