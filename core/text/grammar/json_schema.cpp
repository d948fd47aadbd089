#include "core/text/grammar/json_schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/text/grammar/schema_parts.h"
#include "core/text/json.h"
#include "core/text/regex.h"

namespace loam {
namespace {

using Id = Grammar::Id;
constexpr uint32_t kMostCount = 20'000;  // of a counted repetition
constexpr size_t kMostRules = 50'000;
constexpr size_t kMostPrefixItems = 100;
constexpr int kMostDepth = 200;

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Schema& root) : root_(root), expander_(root) {}

  Grammar compile() {
    define_basics();
    const uint32_t top = new_rule("root");
    g_.define(top, g_.rule(rule_for(root_, "")));
    g_.root = top;
    return std::move(g_);
  }

 private:
  uint32_t new_rule(std::string name) {
    if (g_.rules().size() >= kMostRules)
      fail(Code::unsupported, "the JSON schema becomes more than %zu rules", kMostRules);
    return g_.add_rule(std::move(name));
  }
  Id define(std::string name, Id expr) {
    const uint32_t r = new_rule(std::move(name));
    g_.define(r, expr);
    return g_.rule(r);
  }

  // Whitespace is bounded, so that a model cannot write it for ever.
  void define_basics() {
    const Id blank = g_.one_char(' '), hex = g_.chars({{'0', '9'}, {'A', 'F'}, {'a', 'f'}});
    space_ = define("space", g_.choice({g_.empty(), blank, g_.sequence({g_.one_char('\n'), g_.repeat(blank, 0, 20)})}));
    one_space_ = g_.optional(blank);
    const Id other =
        g_.sequence({g_.chars({{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}}), g_.repeat(hex, 3, 3)});
    const Id d = g_.chars({{'D', 'D'}, {'d', 'd'}});
    const Id below = g_.sequence({d, g_.chars({{'0', '7'}}), g_.repeat(hex, 2, 2)});
    const Id pair = g_.sequence({d, g_.chars({{'8', '9'}, {'A', 'B'}, {'a', 'b'}}), g_.repeat(hex, 2, 2),
                                 g_.text("\\u"), d, g_.chars({{'C', 'F'}, {'c', 'f'}}), g_.repeat(hex, 2, 2)});
    const Id letter =
        g_.chars({{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
    const Id escape = define(
        "escape", g_.sequence({g_.one_char('\\'),
                               g_.choice({letter, g_.sequence({g_.one_char('u'), g_.choice({other, below, pair})})})}));
    char_ = g_.choice({g_.chars(other_chars({{0, 31}, {'"', '"'}, {'\\', '\\'}})), escape});
    string_ = define("string", quoted(g_.repeat(char_, 0, Grammar::kNoLimit)));
  }

  Id quoted(Id inside) { return g_.sequence({g_.one_char('"'), inside, g_.one_char('"')}); }
  Id comma() { return g_.sequence({g_.one_char(','), space_}); }

  uint32_t rule_for(const Schema& schema, const std::string& at) {
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
  Id part(const Schema& schema, const std::string& at) { return g_.rule(rule_for(schema, at)); }

  uint64_t count(const FlatSchema& flat, const char* key, uint64_t otherwise) {
    if (!flat.schema.contains(key)) return otherwise;
    const Schema& v = flat.schema[key];
    const bool whole = v.is_number() && v.get<double>() >= 0 && v.get<double>() == double(uint64_t(v.get<double>()));
    if (!whole) fail_schema(Code::bad_argument, flat.at + "/" + key, "expected a number of at least 0");
    if (v.get<double>() > kMostCount)
      fail_schema(Code::unsupported, flat.at + "/" + key, "counts above %u are not supported", kMostCount);
    return v.get<uint64_t>();
  }

  // Types that the schema means where it names none: those that its keywords are about.
  static unsigned implied_types(const Schema& s) {
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

  Id value(const FlatSchema& flat) {
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

  Id values(const FlatSchema& flat) {
    if (!flat.schema["enum"].is_array()) fail_schema(Code::bad_argument, flat.at, "enum is not a list");
    std::vector<Id> parts;
    for (const Schema& v : flat.schema["enum"])
      if (value_fits(v, flat)) parts.push_back(literal(v));
    return g_.choice(std::move(parts));
  }

  // One value, with the whitespace that everything has.
  Id literal(const Schema& v) {
    if (!v.is_structured()) return g_.text(v.dump());
    std::vector<Id> parts{g_.one_char(v.is_array() ? '[' : '{'), space_};
    bool first = true;
    for (const auto& [name, part_value] : v.items()) {
      if (!std::exchange(first, false)) parts.push_back(comma());
      if (v.is_object()) parts.push_back(key(name));
      parts.push_back(literal(part_value));
    }
    if (!first) parts.push_back(space_);
    parts.push_back(g_.one_char(v.is_array() ? ']' : '}'));
    return g_.sequence(std::move(parts));
  }
  Id key(std::string_view name) { return g_.sequence({quoted(json_text(g_, name)), g_.one_char(':'), one_space_}); }

  // ---- strings ----

  Id string(const FlatSchema& flat) {
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
    const StringPart p = s.contains("pattern")
                             ? compile_pattern(g_, s["pattern"].get<std::string>(), flat.at, "pattern")
                             : compile_pattern(g_, written, flat.at, "format");
    return define("string", quoted(with_length(p, least, most, flat.at)));
  }

  Id with_length(const StringPart& p, uint64_t least, uint64_t most, const std::string& at) {
    if (p.least >= least && p.most <= most) return p.expr;
    if (p.least > most || p.most < least) return g_.nothing();
    if (!p.repeats_unit)
      fail_schema(Code::unsupported, at,
                  "minLength or maxLength beside this pattern or format is not supported: put the "
                  "length into the pattern");
    return g_.repeat(p.unit, uint32_t(std::max(p.least, least)), uint32_t(std::min(p.most, most)));
  }

  // ---- arrays ----

  Id array(const FlatSchema& flat) {
    const Schema& s = flat.schema;
    if (s.contains("items") && s["items"].is_array())
      fail_schema(Code::unsupported, flat.at + "/items", "a list of items is called prefixItems in draft 2020-12");
    uint64_t least = count(flat, "minItems", 0), most = count(flat, "maxItems", Grammar::kNoLimit);
    const size_t prefix = s.contains("prefixItems") ? s["prefixItems"].size() : 0;
    if (prefix > kMostPrefixItems)
      fail_schema(Code::unsupported, flat.at, "more than %zu prefixItems", kMostPrefixItems);
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
  Id items(Id element, uint64_t prefix, uint64_t least, uint64_t most) {
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

  // ---- objects ----

  struct Property {
    Id member;  // "name": value
    bool required;
  };
  struct Members {
    std::vector<Property> properties;
    bool open = false;  // more may follow
    Id more = 0;        // a member that is none of them
    uint64_t least = 0, most = Grammar::kNoLimit;
    std::map<std::vector<uint64_t>, uint32_t> rules;
  };

  Id object(const FlatSchema& flat) {
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

  static std::set<std::string> required_names(const FlatSchema& flat) {
    std::set<std::string> out;
    if (!flat.schema.contains("required")) return out;
    for (const Schema& name : flat.schema["required"]) {
      if (!name.is_string()) fail_schema(Code::bad_argument, flat.at + "/required", "expected a list of names");
      out.insert(name.get<std::string>());
    }
    return out;
  }

  static std::vector<std::string> property_names(const FlatSchema& flat) {
    std::vector<std::string> names;
    if (flat.schema.contains("properties")) {
      if (!flat.schema["properties"].is_object())
        fail_schema(Code::bad_argument, flat.at, "properties is not an object");
      for (const auto& [name, value] : flat.schema["properties"].items()) names.push_back(name);
    }
    for (const std::string& name : required_names(flat))
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
  }

  static std::string only_pattern(const FlatSchema& flat) {
    const Schema& patterns = flat.schema["patternProperties"];
    if (!patterns.is_object() || patterns.size() != 1)
      fail_schema(Code::unsupported, flat.at, "patternProperties is only supported with one pattern");
    return patterns.begin().key();
  }

  static Schema pattern_checked(const FlatSchema& flat, const std::string& name, Schema schema) {
    if (!flat.schema.contains("patternProperties")) return schema;
    Regex::Match match;
    if (Regex(only_pattern(flat)).search(name, 0, match))
      fail_schema(Code::unsupported, flat.at, "property %.80s is named and matches patternProperties as well",
                  name.c_str());
    return schema;
  }

  // Additional members come last.
  void add_more(const FlatSchema& flat, const std::vector<std::string>& names, Members& m) {
    const Schema& s = flat.schema;
    const bool says_nothing = !s.contains("properties") && !s.contains("required") &&
                              !s.contains("patternProperties") &&
                              s.value("unevaluatedProperties", Schema(true)) != false;
    const Schema additional = s.value("additionalProperties", Schema(says_nothing));
    const Id colon = g_.sequence({g_.one_char(':'), one_space_});
    std::vector<Id> kinds;
    if (s.contains("patternProperties")) {
      const std::string pattern = only_pattern(flat);
      if (additional != false && s.contains("additionalProperties"))
        fail_schema(Code::unsupported, flat.at, "patternProperties beside additionalProperties is not supported");
      const Id name = quoted(compile_pattern(g_, pattern, flat.at, "patternProperties").expr);
      kinds.push_back(
          g_.sequence({name, colon, part(s["patternProperties"][pattern], flat.at + "/patternProperties")}));
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
  Id other_name(const std::vector<std::string>& names, size_t at) {
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
      for (; i < names.size() && names[i].size() > at && first_char(names[i], at) == code; ++i)
        same.push_back(names[i]);
      taken.push_back({code, code});
      if (at > 200)
        fail(Code::unsupported, "JSON schema: names of properties beside additionalProperties are too long");
      parts.push_back(g_.sequence({json_char(g_, {{code, code}}), other_name(same, next)}));
    }
    const Id any = json_char(g_, {{0, 0x10FFFF}});
    parts.push_back(g_.sequence({json_char(g_, other_chars(taken)), g_.repeat(any, 0, Grammar::kNoLimit)}));
    if (!ends) parts.push_back(g_.empty());
    return g_.choice(std::move(parts));
  }

  static uint32_t first_char(const std::string& text, size_t at, size_t* next = nullptr) {
    const auto lead = uint8_t(text[at]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes; ++i) code = code << 6 | (uint8_t(text[at + i]) & 0x3Fu);
    if (next) *next = at + bytes;
    return code;
  }

  // The members from the i-th property on, and the closing brace, after `written` members of which `different` surely
  // are; both stop counting where it no longer matters. more: additional ones were written.
  uint32_t members(Members& m, size_t i, uint64_t written, uint64_t different, bool more) {
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

  const Schema& root_;
  SchemaExpander expander_;
  Grammar g_;
  std::map<std::string, uint32_t> rules_;  // by the text of a schema
  Id space_ = 0, one_space_ = 0, char_ = 0, string_ = 0;
  int depth_ = 0;
};

}  // namespace

Grammar grammar_from_json_schema(std::string_view schema) {
  const Schema root = parse_json<Schema>(schema, "the JSON schema");
  return with_json_errors("the JSON schema", [&] { return SchemaCompiler(root).compile(); });
}

}  // namespace loam
