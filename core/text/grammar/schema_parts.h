// The parts that a JSON schema's grammar is put together from.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text/grammar/grammar.h"
#include "core/text/json.h"

namespace loam {

using Schema = Json;  // properties are written in the schema's order

[[noreturn, gnu::format(printf, 3, 4)]] void fail_schema(Code code, const std::string& at, const char* format, ...);

// ---- strings (schema_chars.cpp, schema_pattern.cpp, schema_formats.cpp) ----

// One character of a JSON string out of `ranges`, written in one way only: escaped where it must be.
Grammar::Id json_char(Grammar& g, const std::vector<CharRange>& ranges);
Grammar::Id json_text(Grammar& g, std::string_view text);  // without quotes

// The characters of \d, \w, \s, \D, \W or \S by its letter; false: no such class.
bool pattern_class(char letter, std::vector<CharRange>& out);

// What may stand between the quotes of a string, and how many characters that is.
struct StringPart {
  Grammar::Id expr;
  uint64_t least, most;  // kNoLimit: endless
  bool repeats_unit = false;
  Grammar::Id unit = 0;  // where repeats_unit: expr is `least` to `most` of these, of one character each
};
// A regular expression, found anywhere in the string where it has no anchors. `at` and `keyword` are for errors.
StringPart compile_pattern(Grammar& g, std::string_view pattern, const std::string& at, const char* keyword);
// The regular expression of a format; empty: a name that does not concern strings or that nobody knows.
std::string_view format_pattern(std::string_view format, const std::string& at);

// ---- numbers (schema_numbers.cpp) ----

struct NumberLimits {
  std::optional<double> least, most;   // minimum, maximum
  std::optional<double> above, below;  // exclusiveMinimum, exclusiveMaximum
  std::optional<double> multiple;      // multipleOf
};
NumberLimits number_limits(const Schema& flat);
bool within(const NumberLimits& limits, double value);
Grammar::Id compile_integer(Grammar& g, const NumberLimits& limits, const std::string& at);
Grammar::Id compile_number(Grammar& g, const NumberLimits& limits, const std::string& at);

}  // namespace loam
