// Objects of a JSON schema: members in the schema's order, then additional ones.
#include <algorithm>
#include <set>

#include "core/text/grammar/schema_compiler.h"
#include "core/text/regex.h"

namespace loam {
namespace {

std::set<std::string> required_names(const FlatSchema& flat) {
  std::set<std::string> out;
  if (!flat.schema.contains("required")) return out;
  for (const Schema& name : flat.schema["required"]) {
    if (!name.is_string()) fail_schema(Code::bad_argument, flat.at + "/required", "expected a list of names");
    out.insert(name.get<std::string>());
  }
  return out;
}

std::vector<std::string> property_names(const FlatSchema& flat) {
  std::vector<std::string> names;
  if (flat.schema.contains("properties")) {
    if (!flat.schema["properties"].is_object()) fail_schema(Code::bad_argument, flat.at, "properties is not an object");
    for (const auto& [name, value] : flat.schema["properties"].items()) names.push_back(name);
  }
  for (const std::string& name : required_names(flat))
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

std::string only_pattern(const FlatSchema& flat) {
  const Schema& patterns = flat.schema["patternProperties"];
  if (!patterns.is_object() || patterns.size() != 1)
    fail_schema(Code::unsupported, flat.at, "patternProperties is only supported with one pattern");
  return patterns.items()[0].key;
}

Schema pattern_checked(const FlatSchema& flat, const std::string& name, Schema schema) {
  if (!flat.schema.contains("patternProperties")) return schema;
  Regex::Match match;
  if (Regex(only_pattern(flat)).search(name, 0, match))
    fail_schema(Code::unsupported, flat.at, "property %.80s is named and matches patternProperties as well",
                name.c_str());
  return schema;
}

uint32_t first_char(const std::string& text, size_t at, size_t* next = nullptr) {
  const auto lead = uint8_t(text[at]);
  const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint32_t code = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (uint8_t(text[at + i]) & 0x3Fu);
  if (next) *next = at + bytes;
  return code;
}

}  // namespace

Grammar::Id SchemaCompiler::object(const FlatSchema& flat) {
  Members m;
  m.least = count(flat, "minProperties", 0);
  m.most = count(flat, "maxProperties", Grammar::kNoLimit);
  const std::vector<std::string> names = property_names(flat);
  const std::set<std::string> required = required_names(flat);
  for (const std::string& name : names) {
    const std::string at = flat.at + "/properties/" + name;
    const Schema schema = pattern_checked(flat, name, property_schema(flat.schema, name));
    m.properties.push_back({g_.sequence({key(name), part(schema, at)}), required.count(name) != 0});
  }
  add_more(flat, names, m);
  return g_.sequence({g_.one_char('{'), space_, g_.rule(members(m, 0, 0, 0, false))});
}

// Additional members come last.
void SchemaCompiler::add_more(const FlatSchema& flat, const std::vector<std::string>& names, Members& m) {
  const Schema& s = flat.schema;
  const bool says_nothing = !s.contains("properties") && !s.contains("required") && !s.contains("patternProperties") &&
                            s.value("unevaluatedProperties", Schema(true)) != false;
  const Schema additional = s.value("additionalProperties", Schema(says_nothing));
  const Id colon = g_.sequence({g_.one_char(':'), one_space_});
  std::vector<Id> kinds;
  if (s.contains("patternProperties")) {
    const std::string pattern = only_pattern(flat);
    if (additional != false && s.contains("additionalProperties"))
      fail_schema(Code::unsupported, flat.at, "patternProperties beside additionalProperties is not supported");
    const Id name = quoted(compile_pattern(g_, pattern, flat.at, "patternProperties").expr);
    kinds.push_back(g_.sequence({name, colon, part(s["patternProperties"][pattern], flat.at + "/patternProperties")}));
  } else if (additional != false) {
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    const Id name = names.empty() ? string_ : define("key", quoted(other_name(sorted, 0)));
    kinds.push_back(g_.sequence({name, colon, part(additional, flat.at + "/additionalProperties")}));
  }
  m.open = !kinds.empty();
  if (m.open) m.more = kinds[0];
}

// Any string but the rests, from `at` on, of these sorted names, which agree before.
Grammar::Id SchemaCompiler::other_name(const std::vector<std::string>& names, size_t at) {
  std::vector<CharRange> taken;
  std::vector<Id> parts;
  bool ends = false;
  for (size_t i = 0; i < names.size();) {
    if (names[i].size() <= at) {
      ends = true;
      ++i;
      continue;
    }
    size_t next = at;
    const uint32_t code = first_char(names[i], at, &next);
    std::vector<std::string> same;
    for (; i < names.size() && names[i].size() > at && first_char(names[i], at) == code; ++i) same.push_back(names[i]);
    taken.push_back({code, code});
    if (at > 200) fail(Code::unsupported, "JSON schema: names of properties beside additionalProperties are too long");
    parts.push_back(g_.sequence({json_char(g_, {{code, code}}), other_name(same, next)}));
  }
  const Id any = json_char(g_, {{0, 0x10FFFF}});
  parts.push_back(g_.sequence({json_char(g_, other_chars(taken)), g_.repeat(any, 0, Grammar::kNoLimit)}));
  if (!ends) parts.push_back(g_.empty());
  return g_.choice(std::move(parts));
}

// The members from the i-th property on, and the closing brace, after `written` members of which `different` surely
// are; both stop counting where it no longer matters. more: additional ones were written.
uint32_t SchemaCompiler::members(Members& m, size_t i, uint64_t written, uint64_t different, bool more) {
  const bool counts = m.most != Grammar::kNoLimit;
  written = std::min<uint64_t>(written, counts ? m.most : 1);
  different = std::min(different, m.least);
  const auto [found, is_new] = m.rules.try_emplace({i, written, different, more}, 0);
  if (!is_new) return found->second;
  const uint32_t r = found->second = new_rule("members");
  const bool room = !counts || written < m.most;
  const Id separator = written ? comma() : g_.empty();
  std::vector<Id> parts;
  if (i < m.properties.size()) {
    if (++depth_ > 2000) fail(Code::unsupported, "JSON schema: an object has too many properties");
    if (room)
      parts.push_back(g_.sequence(
          {separator, m.properties[i].member, g_.rule(members(m, i + 1, written + 1, different + 1, false))}));
    if (!m.properties[i].required) parts.push_back(g_.rule(members(m, i + 1, written, different, false)));
    --depth_;
  } else {
    if (m.open && room)
      parts.push_back(g_.sequence({separator, m.more, g_.rule(members(m, i, written + 1, different + !more, true))}));
    // The space of "{}" stands behind the brace already.
    if (different >= m.least) parts.push_back(g_.sequence({written ? space_ : g_.empty(), g_.one_char('}')}));
  }
  g_.define(r, g_.choice(std::move(parts)));
  return r;
}

}  // namespace loam
