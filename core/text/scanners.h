// Hand-written linear forms of the regexes that most vocabularies split by; each equals its pattern on every text.
#pragma once
#include <span>
#include <string_view>

namespace loam {

// The end of the match that begins at `at` < text.size(); `at` itself where none does.
using Scanner = size_t (*)(std::string_view text, size_t at);

struct ScannerRow {
  const char* pattern;
  Scanner scan;
  bool everywhere;  // it matches at every place
};
extern const char* const kGpt2Pattern;
extern const char* const kQwen2Pattern;
extern const char* const kLlama3Pattern;

// Null: no scanner for this pattern, use Regex.
const ScannerRow* find_scanner(std::string_view pattern);
std::span<const ScannerRow> all_scanners();

}  // namespace loam
