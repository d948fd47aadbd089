// Where the reference implementation (PyPI's tokenizers) uses other versions of Unicode than Debian's libraries.
#pragma once
#include <cstdint>
#include <span>

#include "core/text/unicode.h"

namespace loam {

struct CodeRange {
  uint32_t first, last;
};
struct ClassChange {
  std::span<const CodeRange> ranges;
  uint16_t set, clear;  // CharClass bits
};
std::span<const ClassChange> class_changes();

bool is_bert_control(uint32_t code);    // clean_text removes it
bool is_unordered_mark(uint32_t code);  // no combining class, no composition
bool is_new_mark(uint32_t code);        // which Debian does not know yet: it extends what it follows
bool has_young_decomposition(uint32_t code);
uint32_t new_lowercase(uint32_t code);  // `code` itself where nothing is new

}  // namespace loam
