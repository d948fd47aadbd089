// Schemas with their references, allOf, anyOf and oneOf taken apart into alternatives of plain keywords.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/text/grammar/schema_parts.h"

namespace loam {

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
