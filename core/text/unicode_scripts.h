// The script of every character, as UnicodeScripts understands it.
#pragma once
#include <cstdint>

namespace loam {

constexpr uint8_t kAnyScript = 0;
// By code point, below 0x110000. Hiragana and Katakana count as Han; the space and what has no script are "any".
const uint8_t* char_scripts();

}  // namespace loam
