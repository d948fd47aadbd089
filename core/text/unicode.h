// UTF-8 and the character classes that tokenizers ask for.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace loam {

struct Char {
  uint32_t code;   // code point; kInvalidByte + byte where the text is not UTF-8
  uint32_t bytes;  // 1..4; always 1 where invalid
};
constexpr uint32_t kInvalidByte = 0x110000;

// The character at text[at], at < text.size(). Overlong forms, surrogates and cut sequences are invalid.
Char decode_utf8(std::string_view text, size_t at);
void append_utf8(std::string& to, uint32_t code);
// Calls f(Char) on every character.
template <class F>
void for_each_char(std::string_view text, F f) {
  for (size_t at = 0; at < text.size();) {
    const auto byte = uint8_t(text[at]);
    const Char c = byte < 0x80 ? Char{byte, 1} : decode_utf8(text, at);
    f(c);
    at += c.bytes;
  }
}

// The character that ends before `at` > 0.
Char char_before(std::string_view text, size_t at);

struct CharClass {
  static constexpr uint16_t letter = 1, number = 2, space = 4, word = 8;     // \p{L} \p{N} \s \w of Oniguruma
  static constexpr uint16_t mark = 0x10, punctuation = 0x20, symbol = 0x40;  // \p{M} \p{P} \p{S}
  static constexpr uint16_t upper = 0x80, lower = 0x100, caseless = 0x200;   // \p{Lu}\p{Lt}, \p{Ll}, \p{Lm}\p{Lo}
  static constexpr uint16_t han = 0x400, name = 0x800, numeric = 0x1000;     // \p{Han}; Rust's \w and is_numeric
  static constexpr uint16_t accent = 0x2000, bert_mark = 0x4000, bert_punctuation = 0x8000;  // what those steps mean
};
// Bits of CharClass for every code below kInvalidByte + 256 (invalid bytes have none).
const uint16_t* char_classes();

// Calls f(first, last) for every range of codes that have a property by Oniguruma's tables: "Lu", "Han" ...
void for_each_range(const char* property, const std::function<void(uint32_t first, uint32_t last)>& f);

// The ends of the run of spaces that begins at `at`, or ends there (not before `least`).
size_t skip_spaces(std::string_view text, size_t at);
size_t skip_spaces_back(std::string_view text, size_t at, size_t least);

// The normal forms; invalid bytes pass through. Linear but for sorting runs of combining marks.
enum class NormalForm { nfc, nfd, nfkc, nfkd };
void normalize_unicode(std::string& text, NormalForm form);
// Appends the lowercase of one character (of any code; İ becomes two).
void append_lowercase(std::string& to, uint32_t code);

}  // namespace loam
