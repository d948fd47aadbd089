// UTF-8 and the character classes that tokenizers ask for.
#pragma once
#include <cstdint>
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

struct CharClass {
  static constexpr uint8_t letter = 1, number = 2, space = 4, word = 8;  // \p{L} \p{N} \s \w
};
// Bits of CharClass for every code below kInvalidByte + 256 (invalid bytes have none).
const uint8_t* char_classes();

// Canonical composition (NFC); invalid bytes pass through. Linear but for sorting runs of combining marks.
void normalize_nfc(std::string& text);

}  // namespace loam
