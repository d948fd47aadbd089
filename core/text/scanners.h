// Hand-written linear forms of the regexes that most vocabularies split by; each equals its pattern on every text.
#pragma once
#include <string_view>

namespace loam {

// The end of the match that begins at `at` < text.size(); these patterns match at every place.
using Scanner = size_t (*)(std::string_view text, size_t at);

struct ScannerRow {
  const char* pattern;
  Scanner scan;
};
extern const char* const kGpt2Pattern;
extern const char* const kQwen2Pattern;
extern const char* const kLlama3Pattern;

// Null: no scanner for this pattern, use Regex.
Scanner find_scanner(std::string_view pattern);

}  // namespace loam
