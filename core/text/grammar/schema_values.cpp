// Keywords of plain schemas: types, limits, the conjunction of two.
#include <algorithm>

#include "core/text/grammar/schema_merge.h"
#include "core/text/jinja/value.h"

namespace loam {
namespace {

struct TypeName {
  std::string_view name;
  unsigned bits;
};
constexpr TypeName kTypes[] = {{"null", TypeBit::null},       {"boolean", TypeBit::boolean},
                               {"integer", TypeBit::integer}, {"number", TypeBit::number},
                               {"string", TypeBit::string},   {"array", TypeBit::array},
                               {"object", TypeBit::object}};

unsigned type_bit(const Schema& name, const std::string& at) {
  for (const TypeName& t : kTypes)
    if (name.is_string() && name.get<std::string>() == t.name) return t.bits;
  fail_schema(Code::bad_argument, at, "unknown type %.60s", name.dump().c_str());
}

std::optional<double> number_of(const Schema& flat, const char* key) {
  if (!flat.contains(key)) return {};
  if (!flat[key].is_number()) fail(Code::bad_argument, "JSON schema: %s is not a number", key);
  return flat[key].get<double>();
}

bool describes_properties(const Schema& s) {
  return s.contains("properties") || s.contains("patternProperties") || s.contains("additionalProperties");
}

void merge_properties(const FlatSchema& a, const FlatSchema& b, Schema& out) {
  if (!describes_properties(a.schema) || !describes_properties(b.schema)) {
    const Schema& one = describes_properties(a.schema) ? a.schema : b.schema;
    for (const char* key : {"properties", "patternProperties", "additionalProperties"})
      if (one.contains(key)) out[key] = one[key];
    return;
  }
  if (a.schema.contains("patternProperties") || b.schema.contains("patternProperties"))
    fail_schema(Code::unsupported, a.at,
                "patternProperties cannot be combined with other properties (allOf, anyOf, $ref)");
  Schema properties = Schema::object();
  for (const Schema* s : {&a.schema, &b.schema})
    if (s->contains("properties"))
      for (const auto& [name, value] : (*s)["properties"].items())
        if (!properties.contains(name))
          properties[name] = both(property_schema(a.schema, name), property_schema(b.schema, name));
  if (!properties.empty()) out["properties"] = properties;
  if (a.schema.contains("additionalProperties") || b.schema.contains("additionalProperties"))
    out["additionalProperties"] = both(a.schema.value("additionalProperties", Schema(true)),
                                       b.schema.value("additionalProperties", Schema(true)));
}

void merge_items(const Schema& a, const Schema& b, Schema& out) {
  const auto prefix = [](const Schema& s) { return s.contains("prefixItems") ? s["prefixItems"].size() : 0; };
  const auto item = [&](const Schema& s, size_t i) {
    return i < prefix(s) ? s["prefixItems"][i] : s.value("items", Schema(true));
  };
  const size_t count = std::max(prefix(a), prefix(b));
  if (count) out["prefixItems"] = Schema::array();
  for (size_t i = 0; i < count; ++i) out["prefixItems"].push_back(both(item(a, i), item(b, i)));
  if (a.contains("items") || b.contains("items")) out["items"] = both(item(a, count), item(b, count));
}

// Both lists' members, or those that are in both.
Schema unite(const Schema& a, const Schema& b) {
  Schema out = a;
  for (const Schema& v : b)
    if (std::find(a.begin(), a.end(), v) == a.end()) out.push_back(v);
  return out;
}
Schema intersect(const Schema& a, const Schema& b) {
  Schema out = Schema::array();
  for (const Schema& v : a)
    if (std::find(b.begin(), b.end(), v) != b.end()) out.push_back(v);
  return out;
}

Schema merge_multiples(const Schema& a, const Schema& b, const std::string& at) {
  const bool whole = a.is_number_unsigned() && b.is_number_unsigned() && a != 0 && b != 0;
  if (whole && a.get<uint64_t>() % b.get<uint64_t>() == 0) return a;
  if (whole && b.get<uint64_t>() % a.get<uint64_t>() == 0) return b;
  fail_schema(Code::unsupported, at, "two values of multipleOf cannot be combined");
}

bool below(const Schema& a, const Schema& b) { return a.get<double>() < b.get<double>(); }

bool is_any_of(std::string_view key, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), key) != words.end();
}

// One keyword that both have.
Schema merge_keyword(const std::string& key, const Schema& a, const Schema& b, const std::string& at) {
  if (a == b) return a;
  if (is_any_of(key, {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}))
    return below(a, b) ? b : a;
  if (is_any_of(key, {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}))
    return below(a, b) ? a : b;
  if (key == "required") return unite(a, b);
  if (key == "enum") return intersect(a, b);
  if (key == "multipleOf") return merge_multiples(a, b, at);
  if (is_any_of(key, {"pattern", "format"}))
    fail_schema(Code::unsupported, at, "two values of %s cannot be combined", key.c_str());
  if (key == "uniqueItems" || key == "unevaluatedProperties")
    return a == true ? (key[1] == 'n' && key[2] == 'i' ? a : b) : (key[2] == 'i' ? b : a);
  return a;  // a remark
}

}  // namespace

unsigned type_of(const Schema& v) {
  if (v.is_null()) return TypeBit::null;
  if (v.is_boolean()) return TypeBit::boolean;
  if (v.is_number_integer()) return TypeBit::integer;
  if (v.is_number()) return v.get<double>() == double(int64_t(v.get<double>())) ? TypeBit::integer : TypeBit::fraction;
  return v.is_string() ? TypeBit::string : v.is_array() ? TypeBit::array : TypeBit::object;
}

unsigned type_bits(const Schema& flat, const std::string& at) {
  unsigned bits = TypeBit::all;
  if (flat.contains("type")) {
    const Schema& type = flat["type"];
    bits = 0;
    if (!type.is_array()) bits = type_bit(type, at + "/type");
    for (size_t i = 0; type.is_array() && i < type.size(); ++i) bits |= type_bit(type[i], at + "/type");
  }
  if (flat.contains("enum")) {
    unsigned values = 0;
    for (const Schema& v : flat["enum"]) values |= type_of(v);
    bits &= values;
  }
  return bits;
}

Schema both(const Schema& a, const Schema& b) {
  if (a == true || a == b) return b;
  if (b == true) return a;
  if (a == false || b == false) return false;
  return {{"allOf", Schema::array({a, b})}};
}

Schema property_schema(const Schema& object, const std::string& name) {
  if (object.contains("properties") && object["properties"].contains(name)) return object["properties"][name];
  return object.value("additionalProperties", Schema(true));
}

std::optional<FlatSchema> merge(const FlatSchema& a, const FlatSchema& b) {
  if (a.schema.empty()) return b;
  if (b.schema.empty()) return a;
  FlatSchema out{Schema::object(), b.at};
  merge_properties(a, b, out.schema);
  merge_items(a.schema, b.schema, out.schema);
  for (const Schema* s : {&a.schema, &b.schema})
    for (const auto& [key, value] : s->items()) {
      const std::string& word = key;
      if (is_any_of(word, {"properties", "patternProperties", "additionalProperties", "prefixItems", "items", "type"}))
        continue;
      const bool shared = a.schema.contains(word) && b.schema.contains(word);
      if (!out.schema.contains(word))
        out.schema[word] = shared ? merge_keyword(word, a.schema[word], b.schema[word], a.at) : value;
    }
  const unsigned bits = type_bits(a.schema, a.at) & type_bits(b.schema, b.at);
  if (bits == 0) return {};
  if (out.schema.contains("enum") && out.schema["enum"].empty()) return {};
  if (a.schema.contains("type") || b.schema.contains("type")) {
    Schema names = Schema::array();
    for (const TypeName& t : kTypes)
      if (t.name != "integer" ? (bits & t.bits) == t.bits : (bits & TypeBit::number) == TypeBit::integer)
        names.push_back(t.name);
    // Fractions alone have no name; with an enum the values say it.
    if (!names.empty()) out.schema["type"] = names;
  }
  return out;
}

NumberLimits number_limits(const Schema& flat) {
  NumberLimits l{number_of(flat, "minimum"), number_of(flat, "maximum"), number_of(flat, "exclusiveMinimum"),
                 number_of(flat, "exclusiveMaximum"), number_of(flat, "multipleOf")};
  if (l.multiple && *l.multiple <= 0) fail(Code::bad_argument, "JSON schema: multipleOf must be above 0");
  return l;
}

bool value_fits(const Schema& v, const FlatSchema& flat) {
  const Schema& s = flat.schema;
  const unsigned type = type_of(v);
  if (!(type_bits(s, flat.at) & type)) return false;
  if (s.contains("enum") && std::find(s["enum"].begin(), s["enum"].end(), v) == s["enum"].end()) return false;
  if (v.is_number()) return within(number_limits(s), v.get<double>());
  const auto unsupported = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      if (s.contains(key)) fail_schema(Code::unsupported, flat.at, "enum or const beside %s is not supported", key);
  };
  const auto count_fits = [&](const char* least, const char* most, size_t count) {
    return double(count) >= number_of(s, least).value_or(0) && double(count) <= number_of(s, most).value_or(1e18);
  };
  if (v.is_string()) {
    unsupported({"pattern", "format"});
    return count_fits("minLength", "maxLength", size_t(jinja::text_length(v.get<std::string>())));
  }
  if (v.is_array()) {
    unsupported({"items", "prefixItems", "uniqueItems"});
    return count_fits("minItems", "maxItems", v.size());
  }
  if (!v.is_object()) return true;
  for (size_t i = 0; s.contains("required") && i < s["required"].size(); ++i)
    if (!v.contains(s["required"][i].get<std::string>())) return false;
  if (!v.empty()) unsupported({"properties", "patternProperties", "additionalProperties", "unevaluatedProperties"});
  return count_fits("minProperties", "maxProperties", v.size());
}

}  // namespace loam
