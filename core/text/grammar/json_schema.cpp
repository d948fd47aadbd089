#include "core/text/grammar/json_schema.h"

#include <algorithm>
#include <utility>

#include "core/text/grammar/schema_compiler.h"
#include "core/text/json.h"

namespace loam {
namespace {

constexpr uint32_t kMostCount = 20'000;  // of a counted repetition
constexpr size_t kMostRules = 50'000;
constexpr size_t kMostPrefixItems = 100;
constexpr int kMostDepth = 200;

// Types that the schema means where it names none: those that its keywords are about.
unsigned implied_types(const Schema& s) {
  struct About {
    unsigned bits;
    std::initializer_list<const char*> keys;
  };
  static const About kAbout[] = {
      {TypeBit::object,
       {"properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties"}},
      {TypeBit::array, {"items", "prefixItems", "minItems", "maxItems"}},
      {TypeBit::string, {"pattern", "format", "minLength", "maxLength"}},
      {TypeBit::number, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}}};
  unsigned bits = 0;
  for (const About& about : kAbout)
    for (const char* key : about.keys)
      if (s.contains(key)) bits |= about.bits;
  return bits ? bits : TypeBit::all;
}

}  // namespace

Grammar SchemaCompiler::compile() {
  define_basics();
  const uint32_t top = new_rule("root");
  g_.define(top, g_.rule(rule_for(root_, "")));
  g_.root = top;
  return std::move(g_);
}

uint32_t SchemaCompiler::new_rule(std::string name) {
  if (g_.rules().size() >= kMostRules)
    fail(Code::unsupported, "the JSON schema becomes more than %zu rules", kMostRules);
  return g_.add_rule(std::move(name));
}
Grammar::Id SchemaCompiler::define(std::string name, Id expr) {
  const uint32_t r = new_rule(std::move(name));
  g_.define(r, expr);
  return g_.rule(r);
}

// Whitespace is bounded, so that a model cannot write it for ever.
void SchemaCompiler::define_basics() {
  const Id blank = g_.one_char(' '), hex = g_.chars({{'0', '9'}, {'A', 'F'}, {'a', 'f'}});
  space_ = define("space", g_.choice({g_.empty(), blank, g_.sequence({g_.one_char('\n'), g_.repeat(blank, 0, 20)})}));
  one_space_ = g_.optional(blank);
  const Id other =
      g_.sequence({g_.chars({{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}}), g_.repeat(hex, 3, 3)});
  const Id d = g_.chars({{'D', 'D'}, {'d', 'd'}});
  const Id below = g_.sequence({d, g_.chars({{'0', '7'}}), g_.repeat(hex, 2, 2)});
  const Id pair = g_.sequence({d, g_.chars({{'8', '9'}, {'A', 'B'}, {'a', 'b'}}), g_.repeat(hex, 2, 2), g_.text("\\u"),
                               d, g_.chars({{'C', 'F'}, {'c', 'f'}}), g_.repeat(hex, 2, 2)});
  const Id letter =
      g_.chars({{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
  const Id escape = define(
      "escape", g_.sequence({g_.one_char('\\'),
                             g_.choice({letter, g_.sequence({g_.one_char('u'), g_.choice({other, below, pair})})})}));
  char_ = g_.choice({g_.chars(other_chars({{0, 31}, {'"', '"'}, {'\\', '\\'}})), escape});
  string_ = define("string", quoted(g_.repeat(char_, 0, Grammar::kNoLimit)));
}

Grammar::Id SchemaCompiler::quoted(Id inside) { return g_.sequence({g_.one_char('"'), inside, g_.one_char('"')}); }
Grammar::Id SchemaCompiler::comma() { return g_.sequence({g_.one_char(','), space_}); }

uint32_t SchemaCompiler::rule_for(const Schema& schema, const std::string& at) {
  const auto [found, is_new] = rules_.try_emplace(schema.dump(), 0);
  if (!is_new) return found->second;
  const uint32_t r = found->second = new_rule("value");
  if (++depth_ > kMostDepth) fail_schema(Code::unsupported, at, "schemas are nested too deeply");
  std::vector<Id> parts;
  for (const FlatSchema& flat : expander_.expand(schema, at)) parts.push_back(value(flat));
  g_.define(r, g_.choice(std::move(parts)));
  --depth_;
  return r;
}
Grammar::Id SchemaCompiler::part(const Schema& schema, const std::string& at) { return g_.rule(rule_for(schema, at)); }

uint64_t SchemaCompiler::count(const FlatSchema& flat, const char* key, uint64_t otherwise) {
  if (!flat.schema.contains(key)) return otherwise;
  const Schema& v = flat.schema[key];
  const bool whole = v.is_number() && v.get<double>() >= 0 && v.get<double>() == double(uint64_t(v.get<double>()));
  if (!whole) fail_schema(Code::bad_argument, flat.at + "/" + key, "expected a number of at least 0");
  if (v.get<double>() > kMostCount)
    fail_schema(Code::unsupported, flat.at + "/" + key, "counts above %u are not supported", kMostCount);
  return v.get<uint64_t>();
}

Grammar::Id SchemaCompiler::value(const FlatSchema& flat) {
  if (flat.schema.contains("enum")) return values(flat);
  const unsigned types = flat.schema.contains("type") ? type_bits(flat.schema, flat.at) : implied_types(flat.schema);
  std::vector<Id> parts;
  if (types & TypeBit::object) parts.push_back(object(flat));
  if (types & TypeBit::array) parts.push_back(array(flat));
  if (types & TypeBit::string) parts.push_back(string(flat));
  if (types & TypeBit::fraction)
    parts.push_back(compile_number(g_, number_limits(flat.schema), flat.at));
  else if (types & TypeBit::integer)
    parts.push_back(compile_integer(g_, number_limits(flat.schema), flat.at));
  if (types & TypeBit::boolean) parts.push_back(g_.choice({g_.text("true"), g_.text("false")}));
  if (types & TypeBit::null) parts.push_back(g_.text("null"));
  return g_.choice(std::move(parts));
}

Grammar::Id SchemaCompiler::values(const FlatSchema& flat) {
  if (!flat.schema["enum"].is_array()) fail_schema(Code::bad_argument, flat.at, "enum is not a list");
  FlatSchema rest = flat;
  rest.schema.erase("enum");
  std::vector<Id> parts;
  for (const Schema& v : flat.schema["enum"])
    if (value_fits(v, rest)) parts.push_back(literal(v));
  return g_.choice(std::move(parts));
}

// One value, with the whitespace that everything has.
Grammar::Id SchemaCompiler::literal(const Schema& v) {
  if (!v.is_array() && !v.is_object()) return g_.text(v.dump());
  std::vector<Id> parts{g_.one_char(v.is_array() ? '[' : '{'), space_};
  const auto add = [&](const Schema& part) {
    parts.push_back(literal(part));
    parts.push_back(comma());
  };
  if (v.is_object()) {
    for (const auto& [name, part] : v.items()) {
      parts.push_back(key(name));
      add(part);
    }
  } else {
    for (const Schema& part : v) add(part);
  }
  if (!v.empty()) parts.back() = space_;
  parts.push_back(g_.one_char(v.is_array() ? ']' : '}'));
  return g_.sequence(std::move(parts));
}
Grammar::Id SchemaCompiler::key(std::string_view name) {
  return g_.sequence({quoted(json_text(g_, name)), g_.one_char(':'), one_space_});
}

// ---- strings ----

Grammar::Id SchemaCompiler::string(const FlatSchema& flat) {
  const uint64_t least = count(flat, "minLength", 0), most = count(flat, "maxLength", Grammar::kNoLimit);
  const Schema& s = flat.schema;
  if (least > most) return g_.nothing();
  const std::string format = s.contains("format") && s["format"].is_string() ? s["format"].get<std::string>() : "";
  const std::string_view written = format.empty() ? "" : format_pattern(format, flat.at);
  if (!s.contains("pattern") && written.empty()) {
    if (least == 0 && most == Grammar::kNoLimit) return string_;
    return define("string", quoted(g_.repeat(char_, uint32_t(least), uint32_t(most))));
  }
  if (s.contains("pattern") && !written.empty())
    fail_schema(Code::unsupported, flat.at, "pattern beside format is not supported");
  if (s.contains("pattern") && !s["pattern"].is_string())
    fail_schema(Code::bad_argument, flat.at, "pattern is not a string");
  const StringPart p = s.contains("pattern") ? compile_pattern(g_, s["pattern"].get<std::string>(), flat.at, "pattern")
                                             : compile_pattern(g_, written, flat.at, "format");
  return define("string", quoted(with_length(p, least, most, flat.at)));
}

Grammar::Id SchemaCompiler::with_length(const StringPart& p, uint64_t least, uint64_t most, const std::string& at) {
  if (p.least >= least && p.most <= most) return p.expr;
  if (p.least > most || p.most < least) return g_.nothing();
  if (!p.repeats_unit)
    fail_schema(Code::unsupported, at,
                "minLength or maxLength beside this pattern or format is not supported: put the "
                "length into the pattern");
  return g_.repeat(p.unit, uint32_t(std::max(p.least, least)), uint32_t(std::min(p.most, most)));
}

// ---- arrays ----

Grammar::Id SchemaCompiler::array(const FlatSchema& flat) {
  const Schema& s = flat.schema;
  if (s.contains("items") && s["items"].is_array())
    fail_schema(Code::unsupported, flat.at + "/items", "a list of items is called prefixItems in draft 2020-12");
  uint64_t least = count(flat, "minItems", 0), most = count(flat, "maxItems", Grammar::kNoLimit);
  const size_t prefix = s.contains("prefixItems") ? s["prefixItems"].size() : 0;
  if (prefix > kMostPrefixItems) fail_schema(Code::unsupported, flat.at, "more than %zu prefixItems", kMostPrefixItems);
  // Behind prefixItems nothing more is written where the schema does not say what.
  const Schema item = s.contains("items") ? s["items"] : Schema(prefix == 0 || least > prefix);
  if (item == false) most = std::min<uint64_t>(most, prefix);
  if (least > most) return g_.nothing();
  Id inside = items(part(item, flat.at + "/items"), prefix, least, most);
  for (size_t i = std::min<uint64_t>(prefix, most); i-- > 0;) {
    const Id element = part(s["prefixItems"][i], flat.at + "/prefixItems/" + std::to_string(i));
    inside = g_.sequence({i ? comma() : g_.empty(), element, inside});
    if (i >= least) inside = g_.optional(inside);
  }
  const Id full = g_.sequence({g_.one_char('['), space_, inside, space_, g_.one_char(']')});
  if (least > 0) return define("array", full);
  // An empty one has its whitespace once.
  return define("array", full);
}

// What comes behind `prefix` elements.
Grammar::Id SchemaCompiler::items(Id element, uint64_t prefix, uint64_t least, uint64_t most) {
  if (prefix >= most) return g_.empty();
  const auto left = [&](uint64_t n) {
    return n == Grammar::kNoLimit ? Grammar::kNoLimit : uint32_t(n > prefix ? n - prefix : 0);
  };
  const Id next = g_.sequence({comma(), element});
  if (prefix) return g_.repeat(next, left(least), left(most));
  const auto fewer = [](uint32_t n) { return n == Grammar::kNoLimit ? n : n - (n > 0); };
  const Id some = g_.sequence({element, g_.repeat(next, fewer(left(least)), fewer(left(most)))});
  return least ? some : g_.optional(some);
}

Grammar grammar_from_json_schema(std::string_view schema) {
  try {
    const Schema root = parse_json(schema, "the JSON schema");
    return with_json_errors("the JSON schema", [&] { return SchemaCompiler(root).compile(); });
  } catch (const Error& e) {  // it is an argument, not a file
    throw Error(e.code == Code::bad_file ? Code::bad_argument : e.code, e.what());
  }
}

}  // namespace loam
