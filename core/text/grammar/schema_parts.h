// The parts that a JSON schema's grammar is put together from.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text/grammar/grammar.h"

namespace loam {

using Schema = nlohmann::ordered_json;  // properties are written in the schema's order

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

// ---- schemas (schema_merge.cpp) ----

// A schema without references and without allOf, anyOf and oneOf.
struct FlatSchema {
  Schema schema;
  std::string at;  // JSON pointer, for errors and for the pointers of its parts
};

class SchemaExpander {
 public:
  explicit SchemaExpander(const Schema& root) : root_(root) {}
  // The alternatives that the schema stands for; none: nothing is valid.
  std::vector<FlatSchema> expand(const Schema& schema, const std::string& at);

 private:
  using Flats = std::vector<FlatSchema>;
  Flats expand_part(const Schema& schema, const std::string& at, bool nested);
  const Schema& resolve(const std::string& reference, const std::string& at) const;
  Flats expand_reference(const std::string& reference, const std::string& at);
  Flats expand_one_of(const Schema& branches, const std::string& at);
  Flats cross(const Flats& a, const Flats& b);
  bool exclude(const FlatSchema& a, const FlatSchema& b);
  bool properties_exclude(const Schema& a, const Schema& b, const std::string& at);
  void charge(size_t steps);

  const Schema& root_;
  std::vector<std::string> references_;  // being expanded
  size_t steps_ = 0;
  int depth_ = 0;
};

// Both at once; empty where that is impossible.
std::optional<FlatSchema> merge(const FlatSchema& a, const FlatSchema& b);
Schema both(const Schema& a, const Schema& b);
// What a schema says of a property's value; true where it says nothing.
Schema property_schema(const Schema& object, const std::string& name);

// Bits of the JSON types.
struct TypeBit {
  static constexpr unsigned null = 1, boolean = 2, integer = 4, fraction = 8, string = 16, array = 32, object = 64,
                            number = integer | fraction, all = 127;
};
unsigned type_bits(const Schema& flat, const std::string& at);
unsigned type_of(const Schema& value);
// Whether a value of an enum or const fits the rest of the schema.
bool value_fits(const Schema& value, const FlatSchema& flat);

}  // namespace loam
