// Methods of Python's str, dict and list that templates call. Those that change a list or dict are missing on purpose:
// templates run in a sandbox of immutable values.
#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/text/jinja/filter_rows.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;
std::string_view argument(const Args& args, size_t i) {
  if (i >= args.positional.size() || !args.positional[i].is_string())
    fail(Code::bad_argument, "template: this method needs a string");
  return args.positional[i].string();
}

Value strip_method(Interpreter& in, const Value& self, const Args& args, bool left, bool right) {
  std::string_view s = self.string();
  const Value* set = args.find(0, "chars");
  const bool given = set && !set->is_none();
  if (left) s = given ? strip_left(s, argument(args, 0)) : strip_left(s);
  if (right) s = given ? strip_right(s, argument(args, 0)) : strip_right(s);
  return in.text(std::string(s));
}
Value s_strip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, true, true); }
Value s_lstrip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, true, false); }
Value s_rstrip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, false, true); }
Value s_upper(Interpreter& in, const Value& v, Args&) { return in.text(upper(v.string())); }
Value s_lower(Interpreter& in, const Value& v, Args&) { return in.text(lower(v.string())); }
Value s_capitalize(Interpreter& in, const Value& v, Args&) { return in.text(capitalize(v.string())); }

bool is_cased(uint32_t code) {
  std::string one;
  append_utf8(one, code);
  return upper(one) != one || lower(one) != one;
}

Value s_title(Interpreter& in, const Value& v, Args&) {  // a capital after everything that has no case
  std::string out;
  bool inside = false;
  for (const std::string_view c : text_characters(v.string())) {
    const bool cased = is_cased(decode_utf8(c, 0).code);
    out += cased && inside ? lower(c) : upper(c);
    inside = cased;
  }
  return in.text(std::move(out));
}

bool any_of(const Value& v, const std::function<bool(std::string_view)>& test) {
  if (v.is_string()) return test(v.string());
  if (!v.is_tuple()) fail(Code::bad_argument, "template: this method needs a string or a tuple of strings");
  return std::any_of(v.items().begin(), v.items().end(),
                     [&](const Value& s) { return s.is_string() && test(s.string()); });
}
Value s_startswith(Interpreter&, const Value& v, Args& args) {
  return any_of(args.positional.empty() ? Value() : args.positional[0],
                [&](auto s) { return v.string().starts_with(s); });
}
Value s_endswith(Interpreter&, const Value& v, Args& args) {
  return any_of(args.positional.empty() ? Value() : args.positional[0],
                [&](auto s) { return v.string().ends_with(s); });
}

// Splits at whitespace; the rest after `most` cuts stays whole.
List split_spaces(std::string_view s, int64_t most, bool from_right) {
  List out;
  s = from_right ? strip_right(s) : strip_left(s);
  while (!s.empty()) {
    if (most-- == 0) {
      out.emplace_back(from_right ? strip_right(s) : s);
      break;
    }
    const auto characters = text_characters(s);
    size_t bytes = 0;
    for (size_t i = 0; i < characters.size(); ++i) {
      const std::string_view c = from_right ? characters[characters.size() - 1 - i] : characters[i];
      if (is_space(decode_utf8(c, 0).code)) break;
      bytes += c.size();
    }
    out.emplace_back(from_right ? s.substr(s.size() - bytes) : s.substr(0, bytes));
    s = from_right ? strip_right(s.substr(0, s.size() - bytes)) : strip_left(s.substr(bytes));
  }
  return out;
}

Value split_method(Interpreter& in, const Value& self, const Args& args, bool from_right) {
  std::string_view s = self.string();
  const Value* separator = args.find(0, "sep");
  int64_t most = args.integer(1, "maxsplit", -1);
  List out;
  if (!separator || separator->is_none()) {
    in.step(int64_t(s.size()));
    out = split_spaces(s, most, from_right);
  } else {
    if (!separator->is_string() || separator->string().empty())
      fail(Code::bad_argument, "template: split at an empty separator");
    const std::string& by = separator->string();
    for (; most != 0; --most) {
      const size_t at = from_right ? s.rfind(by) : s.find(by);
      if (at == std::string_view::npos) break;
      in.step();
      out.emplace_back(from_right ? s.substr(at + by.size()) : s.substr(0, at));
      s = from_right ? s.substr(0, at) : s.substr(at + by.size());
    }
    out.emplace_back(s);
  }
  in.charge(self.string().size());
  if (from_right) std::reverse(out.begin(), out.end());
  return Value::list(std::move(out));
}
Value s_split(Interpreter& in, const Value& v, Args& args) { return split_method(in, v, args, false); }
Value s_rsplit(Interpreter& in, const Value& v, Args& args) { return split_method(in, v, args, true); }

Value s_splitlines(Interpreter& in, const Value& v, Args& args) {
  const std::string& s = v.string();
  const bool keep = args.boolean(0, "keepends", false);
  List out;
  size_t begin = 0;
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    size_t end = at + c.bytes;
    const bool breaks = (c.code >= 10 && c.code <= 13) || (c.code >= 0x1c && c.code <= 0x1e) || c.code == 0x85 ||
                        c.code == 0x2028 || c.code == 0x2029;
    if (c.code == '\r' && end < s.size() && s[end] == '\n') ++end;
    if (breaks) {
      out.emplace_back(s.substr(begin, (keep ? end : at) - begin));
      begin = end;
    }
    at = end;
  }
  if (begin < s.size()) out.emplace_back(s.substr(begin));
  in.charge(s.size());
  return Value::list(std::move(out));
}

Value s_replace(Interpreter& in, const Value& v, Args& args) {
  return in.text(replace_text(in, v.string(), std::string(argument(args, 0)), std::string(argument(args, 1)),
                              args.integer(2, "count", -1)));
}

Value s_join(Interpreter& in, const Value& v, Args& args) {
  Args rest;
  for (const Value& item : in.iterate(args.positional.empty() ? Value(None{}) : args.positional[0])) {
    if (!item.is_string()) fail(Code::bad_argument, "template: join() of a %s", item.type_name());
  }
  rest.positional.push_back(v);
  return in.apply_filter("join", args.positional[0], rest);
}

Value position(const Value& v, size_t at) {
  return at == std::string::npos ? int64_t(-1) : text_length(std::string_view(v.string()).substr(0, at));
}
Value s_find(Interpreter&, const Value& v, Args& args) { return position(v, v.string().find(argument(args, 0))); }
Value s_rfind(Interpreter&, const Value& v, Args& args) { return position(v, v.string().rfind(argument(args, 0))); }
Value s_index(Interpreter&, const Value& v, Args& args) {
  const size_t at = v.string().find(argument(args, 0));
  if (at == std::string::npos) fail(Code::bad_argument, "template: substring not found");
  return position(v, at);
}

Value s_count(Interpreter&, const Value& v, Args& args) {
  const std::string_view what = argument(args, 0);
  if (what.empty()) return text_length(v.string()) + 1;
  int64_t count = 0;
  for (size_t at = v.string().find(what); at != std::string::npos; at = v.string().find(what, at + what.size()))
    ++count;
  return count;
}

template <class Test>
bool all_characters(const Value& v, Test test) {
  const auto characters = text_characters(v.string());
  return !characters.empty() && std::all_of(characters.begin(), characters.end(), [&](auto c) {
    const uint32_t code = decode_utf8(c, 0).code;
    return test(code, char_classes()[code]);
  });
}
Value s_isalpha(Interpreter&, const Value& v, Args&) {
  return all_characters(v, [](uint32_t, uint8_t k) { return k & CharClass::letter; });
}
Value s_isdigit(Interpreter&, const Value& v, Args&) {
  return all_characters(v,
                        [](uint32_t c, uint8_t k) { return c < 0x80 ? c >= '0' && c <= '9' : k & CharClass::number; });
}
Value s_isalnum(Interpreter&, const Value& v, Args&) {
  return all_characters(v, [](uint32_t, uint8_t k) { return k & (CharClass::letter | CharClass::number); });
}
Value s_isspace(Interpreter&, const Value& v, Args&) {
  return all_characters(v, [](uint32_t c, uint8_t) { return is_space(c); });
}
Value s_isupper(Interpreter& in, const Value& v, Args& args) { return in.apply_test("upper", v, args); }
Value s_islower(Interpreter& in, const Value& v, Args& args) { return in.apply_test("lower", v, args); }

Value s_removeprefix(Interpreter&, const Value& v, Args& args) {
  const std::string_view prefix = argument(args, 0);
  return v.string().starts_with(prefix) ? Value(v.string().substr(prefix.size())) : v;
}
Value s_removesuffix(Interpreter&, const Value& v, Args& args) {
  const std::string_view suffix = argument(args, 0);
  return v.string().ends_with(suffix) ? Value(v.string().substr(0, v.string().size() - suffix.size())) : v;
}

Value pad(Interpreter& in, const Value& v, const Args& args, bool left, char with) {
  const int64_t missing = std::max<int64_t>(args.integer(0, "width", 0) - text_length(v.string()), 0);
  in.charge(size_t(missing));
  const std::string fill(size_t(missing), with);
  return in.text(left ? fill + v.string() : v.string() + fill);
}
Value s_ljust(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, false, ' '); }
Value s_rjust(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, true, ' '); }
Value s_zfill(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, true, '0'); }

Value partition_method(const Value& v, const Args& args, bool last) {
  const std::string_view s = v.string(), by = argument(args, 0);
  const size_t at = last ? s.rfind(by) : s.find(by);
  if (at == std::string_view::npos) return last ? Value::list({"", "", v}, true) : Value::list({v, "", ""}, true);
  return Value::list({Value(s.substr(0, at)), Value(by), Value(s.substr(at + by.size()))}, true);
}
Value s_partition(Interpreter&, const Value& v, Args& args) { return partition_method(v, args, false); }
Value s_rpartition(Interpreter&, const Value& v, Args& args) { return partition_method(v, args, true); }

Value d_items(Interpreter& in, const Value& v, Args& args) { return in.apply_filter("items", v, args); }
Value d_keys(Interpreter& in, const Value& v, Args&) { return Value::list(in.iterate(v)); }
Value d_copy(Interpreter&, const Value& v, Args&) { return v; }
Value d_values(Interpreter& in, const Value& v, Args&) {
  List out;
  for (const auto& pair : v.pairs()) out.push_back(pair.second);
  in.step(int64_t(out.size()));
  return Value::list(std::move(out));
}
Value d_get(Interpreter&, const Value& v, Args& args) {
  const Value* found = args.positional.empty() ? nullptr : v.find(args.positional[0]);
  if (found) return *found;
  return args.positional.size() > 1 ? args.positional[1] : Value(None{});
}

Value l_index(Interpreter&, const Value& v, Args& args) {
  for (size_t i = 0; i < v.items().size() && !args.positional.empty(); ++i) {
    if (equal(v.items()[i], args.positional[0])) return int64_t(i);
  }
  fail(Code::bad_argument, "template: value not in list");
}
Value l_count(Interpreter&, const Value& v, Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: count() needs a value");
  return int64_t(
      std::count_if(v.items().begin(), v.items().end(), [&](const Value& i) { return equal(i, args.positional[0]); }));
}

const NamedApply kStringMethods[] = {
    {"capitalize", s_capitalize},
    {"count", s_count},
    {"endswith", s_endswith},
    {"find", s_find},
    {"index", s_index},
    {"isalnum", s_isalnum},
    {"isalpha", s_isalpha},
    {"isdigit", s_isdigit},
    {"islower", s_islower},
    {"isspace", s_isspace},
    {"isupper", s_isupper},
    {"join", s_join},
    {"ljust", s_ljust},
    {"lower", s_lower},
    {"lstrip", s_lstrip},
    {"partition", s_partition},
    {"removeprefix", s_removeprefix},
    {"removesuffix", s_removesuffix},
    {"replace", s_replace},
    {"rfind", s_rfind},
    {"rjust", s_rjust},
    {"rpartition", s_rpartition},
    {"rsplit", s_rsplit},
    {"rstrip", s_rstrip},
    {"split", s_split},
    {"splitlines", s_splitlines},
    {"startswith", s_startswith},
    {"strip", s_strip},
    {"title", s_title},
    {"upper", s_upper},
    {"zfill", s_zfill},
};
const NamedApply kDictMethods[] = {
    {"copy", d_copy}, {"get", d_get}, {"items", d_items}, {"keys", d_keys}, {"values", d_values}};
const NamedApply kListMethods[] = {{"count", l_count}, {"index", l_index}};

}  // namespace

Apply find_method(const Value& self, std::string_view name) {
  if (self.is_string()) return find_row(kStringMethods, name);
  if (self.is_dict()) return find_row(kDictMethods, name);
  return self.is_list() ? find_row(kListMethods, name) : nullptr;
}

}  // namespace loam::jinja
