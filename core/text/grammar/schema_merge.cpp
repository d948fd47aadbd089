// References, allOf, anyOf and oneOf are resolved into a list of plain schemas.
#include <algorithm>
#include <cstdarg>
#include <set>
#include <span>

#include "core/text/grammar/schema_merge.h"

namespace loam {
namespace {

constexpr size_t kMostAlternatives = 256;
constexpr size_t kMostSteps = 5'000'000;  // values that are looked at or copied
constexpr int kMostDepth = 64;
constexpr size_t kMostNames = 2000, kMostValues = 20'000;

constexpr std::string_view kUnsupported[] = {"not",
                                             "if",
                                             "then",
                                             "else",
                                             "dependentSchemas",
                                             "dependentRequired",
                                             "dependencies",
                                             "contains",
                                             "minContains",
                                             "maxContains",
                                             "propertyNames",
                                             "unevaluatedItems",
                                             "$dynamicRef",
                                             "$recursiveRef",
                                             "additionalItems"};

// Keywords that are resolved here or only describe.
constexpr std::string_view kDropped[] = {"$ref",        "allOf",   "anyOf",    "oneOf", "title",
                                         "description", "default", "examples", "$defs", "definitions",
                                         "$schema",     "$id",     "$comment", "const"};

bool listed(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void check_keywords(const Schema& schema, const std::string& at, bool nested) {
  for (const auto& [key, value] : schema.items()) {
    if (listed(kUnsupported, key))
      fail_schema(Code::unsupported, at + "/" + key, "keyword %s is not supported", key.c_str());
    const size_t most = key == "enum" ? kMostValues : key == "required" || key == "properties" ? kMostNames : SIZE_MAX;
    if (value.size() > most) fail_schema(Code::unsupported, at + "/" + key, "more than %zu of them", most);
    const bool no_closed = key == "unevaluatedProperties" && (value.is_object() || (nested && value == false));
    const bool unique = key == "uniqueItems" && value == true && schema.value("maxItems", Schema()) != 1;
    if (no_closed || unique)
      fail_schema(Code::unsupported, at + "/" + key, "keyword %s is not supported here", key.c_str());
  }
}

size_t weight(const Schema& schema) {
  size_t sum = 1;
  if (schema.is_object())
    for (const auto& [key, part] : schema.items()) sum += weight(part);
  if (schema.is_array())
    for (const Schema& part : schema) sum += weight(part);
  return sum;
}

// What it takes to compare the lists of both.
size_t pair_weight(const Schema& a, const Schema& b) {
  size_t sum = weight(a) + weight(b);
  for (const char* key : {"enum", "required"})
    if (a.contains(key) && b.contains(key)) sum += a[key].size() * b[key].size() / 4;
  return sum;
}

std::string unescape(const std::string& part) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
      out += part[++i] == '0' ? '~' : '/';
    } else if (part[i] == '%' && i + 2 < part.size()) {
      out += char(std::strtol(part.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += part[i];
    }
  }
  return out;
}

}  // namespace

void fail_schema(Code code, const std::string& at, const char* format, ...) {
  char what[600];
  va_list args;
  va_start(args, format);
  std::vsnprintf(what, sizeof what, format, args);
  va_end(args);
  fail(code, "JSON schema, #%.300s: %s", at.c_str(), what);
}

void SchemaExpander::charge(size_t steps) {
  steps_ += steps;
  if (steps_ > kMostSteps) fail(Code::unsupported, "the JSON schema has too many combinations of alternatives");
}

std::vector<FlatSchema> SchemaExpander::expand(const Schema& schema, const std::string& at) {
  return expand_part(schema, at, false);
}

SchemaExpander::Flats SchemaExpander::expand_part(const Schema& schema, const std::string& at, bool nested) {
  charge(weight(schema));
  if (schema.is_boolean()) return schema.get<bool>() ? Flats{{Schema::object(), at}} : Flats{};
  if (!schema.is_object()) fail_schema(Code::bad_argument, at, "expected a schema: an object or a boolean");
  if (++depth_ > kMostDepth) fail_schema(Code::unsupported, at, "schemas are nested too deeply");
  check_keywords(schema, at, nested);
  Schema plain = Schema::object();
  for (const auto& [key, value] : schema.items())
    if (!listed(kDropped, key)) plain[key] = value;
  Flats out{{plain, at}};
  if (schema.contains("const")) {
    const FlatSchema one{{{"enum", Schema::array({schema["const"]})}}, at};
    out = cross(out, {one});
  }
  if (schema.contains("$ref")) {
    if (!schema["$ref"].is_string()) fail_schema(Code::bad_argument, at, "$ref is not a string");
    out = cross(out, expand_reference(schema["$ref"].get<std::string>(), at));
  }
  for (const char* key : {"allOf", "anyOf", "oneOf"}) {
    if (!schema.contains(key)) continue;
    const Schema& branches = schema[key];
    const std::string here = at + "/" + key;
    if (!branches.is_array() || branches.empty()) fail_schema(Code::bad_argument, here, "expected a list of schemas");
    if (std::string_view(key) == "oneOf") {
      out = cross(out, expand_one_of(branches, here));
      continue;
    }
    Flats any;
    for (size_t i = 0; i < branches.size(); ++i) {
      const Flats branch = expand_part(branches[i], here + "/" + std::to_string(i), true);
      if (std::string_view(key) == "allOf")
        out = cross(out, branch);
      else
        any.insert(any.end(), branch.begin(), branch.end());
    }
    if (std::string_view(key) == "anyOf") out = cross(out, any);
  }
  --depth_;
  return out;
}

SchemaExpander::Flats SchemaExpander::cross(const Flats& a, const Flats& b) {
  Flats out;
  for (const FlatSchema& x : a) {
    for (const FlatSchema& y : b) {
      charge(pair_weight(x.schema, y.schema));
      if (std::optional<FlatSchema> merged = merge(x, y)) out.push_back(std::move(*merged));
      if (out.size() > kMostAlternatives)
        fail_schema(Code::unsupported, x.at, "more than %zu alternatives", kMostAlternatives);
    }
  }
  return out;
}

const Schema& SchemaExpander::resolve(const std::string& reference, const std::string& at) const {
  if (reference != "#" && reference.substr(0, 2) != "#/")
    fail_schema(Code::unsupported, at, "$ref \"%.200s\": only references into the same schema (#, #/...) are supported",
                reference.c_str());
  const Schema* found = &root_;
  for (size_t slash = 1; slash < reference.size();) {
    const size_t end = std::min(reference.find('/', slash + 1), reference.size());
    const std::string part = unescape(reference.substr(slash + 1, end - slash - 1));
    const bool index = found->is_array() && !part.empty() && part.size() < 7 &&
                       part.find_first_not_of("0123456789") == part.npos && std::stoul(part) < found->size();
    if (!index && !(found->is_object() && found->contains(part)))
      fail_schema(Code::bad_argument, at, "$ref \"%.200s\" leads nowhere", reference.c_str());
    found = index ? &(*found)[std::stoul(part)] : &(*found)[part];
    slash = end;
  }
  return *found;
}

SchemaExpander::Flats SchemaExpander::expand_reference(const std::string& reference, const std::string& at) {
  if (std::find(references_.begin(), references_.end(), reference) != references_.end())
    fail_schema(Code::bad_argument, at, "$ref \"%.200s\" leads back to itself without anything in between",
                reference.c_str());
  references_.push_back(reference);
  Flats out = expand_part(resolve(reference, at), reference.substr(1), true);
  references_.pop_back();
  return out;
}

SchemaExpander::Flats SchemaExpander::expand_one_of(const Schema& branches, const std::string& at) {
  std::vector<Flats> parts;
  Flats out;
  for (size_t i = 0; i < branches.size(); ++i) {
    parts.push_back(expand_part(branches[i], at + "/" + std::to_string(i), true));
    for (size_t j = 0; j < i; ++j)
      for (const FlatSchema& a : parts[j])
        for (const FlatSchema& b : parts[i]) {
          charge(pair_weight(a.schema, b.schema));
          if (exclude(a, b)) continue;
          fail_schema(Code::unsupported, at,
                      "oneOf: nothing shows that branches %zu and %zu exclude each other (anyOf, or "
                      "a required property with a const in each, would do)",
                      j, i);
        }
    out.insert(out.end(), parts[i].begin(), parts[i].end());
  }
  return out;
}

// Whether no value can be valid for both; false where that cannot be seen easily.
bool SchemaExpander::exclude(const FlatSchema& a, const FlatSchema& b) {
  const unsigned types = type_bits(a.schema, a.at) & type_bits(b.schema, b.at);
  if (types == 0) return true;
  const auto no_value_fits = [](const FlatSchema& one, const FlatSchema& other) {
    if (!one.schema.contains("enum")) return false;
    const Schema& values = one.schema["enum"];
    return std::none_of(values.begin(), values.end(), [&](const Schema& v) { return value_fits(v, other); });
  };
  if (no_value_fits(a, b) || no_value_fits(b, a)) return true;
  if ((types & ~TypeBit::number) == 0) {
    const NumberLimits x = number_limits(a.schema), y = number_limits(b.schema);
    const auto below = [](const NumberLimits& l, const NumberLimits& h) {
      const auto &top = l.most ? l.most : l.below, &bottom = h.least ? h.least : h.above;
      return top && bottom && (*top < *bottom || (*top == *bottom && !(l.most && h.least)));
    };
    return below(x, y) || below(y, x);
  }
  return types == TypeBit::object && properties_exclude(a.schema, b.schema, a.at);
}

bool SchemaExpander::properties_exclude(const Schema& a, const Schema& b, const std::string& at) {
  std::set<std::string> required;
  for (const Schema* s : {&a, &b})
    if (s->contains("required"))
      for (const Schema& name : (*s)["required"]) required.insert(name.get<std::string>());
  const auto excluded_pair = [&](const Flats& x, const Flats& y) {
    return std::all_of(x.begin(), x.end(), [&](const FlatSchema& p) {
      return std::all_of(y.begin(), y.end(), [&](const FlatSchema& q) { return exclude(p, q); });
    });
  };
  for (const std::string& name : required) {
    if (a.contains("patternProperties") || b.contains("patternProperties")) return false;
    const std::string here = at + "/properties/" + name;
    const auto needs = [&](const Schema& s) {
      return s.contains("required") &&
             std::find(s["required"].begin(), s["required"].end(), Schema(name)) != s["required"].end();
    };
    // One demands it: then both must be able to say yes to one value of it.
    if (!needs(a) && !needs(b)) continue;
    if (excluded_pair(expand_part(property_schema(a, name), here, true),
                      expand_part(property_schema(b, name), here, true)))
      return true;
  }
  return false;
}

}  // namespace loam
