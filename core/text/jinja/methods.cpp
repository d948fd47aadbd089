// Methods of the other types, and what texts say of their characters. Methods that change a list or dict are missing
// on purpose: templates run in a sandbox of immutable values.
#include <utf8proc.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/objects.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;

template <bool (*test)(uint32_t)>
Value all_characters(Interpreter& in, const Value& v, Args&) {
  const std::string& s = v.string();
  in.step(int64_t(s.size() / 16));
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    if (!test(c.code)) return false;
    at += c.bytes;
  }
  return !s.empty();
}

utf8proc_category_t category(uint32_t c) {
  return c < kInvalidByte ? utf8proc_category(utf8proc_int32_t(c)) : UTF8PROC_CATEGORY_CN;
}
bool is_letter(uint32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}
bool is_decimal(uint32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }
bool is_digit(uint32_t c) {
  return is_decimal(c) || c == 0xb2 || c == 0xb3 || c == 0xb9 || (c >= 0x2070 && c <= 0x2089 && c != 0x2071) ||
         (c >= 0x2460 && c <= 0x2468) || (c >= 0x2474 && c <= 0x247c) || (c >= 0x2488 && c <= 0x2490);
}
bool is_numeric(uint32_t c) {
  const auto k = category(c);
  return is_digit(c) || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}
bool is_letter_or_number(uint32_t c) { return is_letter(c) || is_numeric(c); }
bool is_printable(uint32_t c) {
  const auto k = category(c);
  return c == ' ' || !(k == UTF8PROC_CATEGORY_CN || (k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_CO));
}

Value s_isascii(Interpreter&, const Value& v, Args&) { return v.is_ascii(); }
Value s_isprintable(Interpreter& in, const Value& v, Args& args) {
  return v.string().empty() ? Value(true) : all_characters<is_printable>(in, v, args);
}
Value s_isidentifier(Interpreter& in, const Value& v, Args&) {
  const std::string& s = v.string();
  in.step(int64_t(s.size() / 16));
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    if (!(c.code == '_' || is_letter(c.code) || (at > 0 && (is_decimal(c.code))))) return false;
    at += c.bytes;
  }
  return !s.empty();
}
Value s_istitle(Interpreter& in, const Value& v, Args&) {
  bool found = false, inside = false;
  in.step(int64_t(v.string().size()));
  for (const std::string_view c : text_characters(v.string())) {
    const bool cased = is_cased(decode_utf8(c, 0).code);
    const bool is_upper = cased && lower(c) != c;
    if (cased && is_upper == inside) return false;
    found = found || cased;
    inside = cased;
  }
  return found;
}
Value s_isupper(Interpreter& in, const Value& v, Args& args) { return apply_row(in, *find_test("upper"), v, args); }
Value s_islower(Interpreter& in, const Value& v, Args& args) { return apply_row(in, *find_test("lower"), v, args); }

constexpr FunctionRow kCharacterMethods[] = {
    {"isalnum", all_characters<is_letter_or_number>},
    {"isalpha", all_characters<is_letter>},
    {"isascii", s_isascii},
    {"isdecimal", all_characters<is_decimal>},
    {"isdigit", all_characters<is_digit>},
    {"isidentifier", s_isidentifier},
    {"islower", s_islower},
    {"isnumeric", all_characters<is_numeric>},
    {"isprintable", s_isprintable},
    {"isspace", all_characters<is_space>},
    {"istitle", s_istitle},
    {"isupper", s_isupper},
};

Value d_items(Interpreter&, const Value& v, Args&) { return Value::make<DictView>(v, DictView::items); }
Value d_keys(Interpreter&, const Value& v, Args&) { return Value::make<DictView>(v, DictView::keys); }
Value d_values(Interpreter&, const Value& v, Args&) { return Value::make<DictView>(v, DictView::values); }
Value d_copy(Interpreter& in, const Value& v, Args&) {
  in.charge(int64_t(v.pairs().size()) * 64);
  return Value::dict(v.pairs());
}
Value d_get(Interpreter& in, const Value& v, Args& args) {
  check_hashable(args.positional[0]);
  if (args.positional[0].is_list()) in.walk(args.positional[0]);
  if (const Value* found = v.find(args.positional[0])) return *found;
  return args.positional.size() > 1 ? args.positional[1] : Value(None{});
}
Value d_fromkeys(Interpreter& in, const Value&, Args& args) {
  DictMaker dict;
  for (const Value& key : in.to_list(args.positional[0])) {
    in.walk(key);
    dict.put(key, args.positional.size() > 1 ? args.positional[1] : Value(None{}));
  }
  return dict.take();
}

Value l_index(Interpreter& in, const Value& v, Args& args) {
  const auto size = int64_t(v.items().size());
  const auto bound = [&](size_t i, int64_t otherwise) {
    const int64_t given = i < args.positional.size() ? args.integer(i, "", 0) : otherwise;
    return given < 0 ? std::max<int64_t>(given + size, 0) : std::min(given, size);
  };
  for (int64_t i = bound(1, 0); i < bound(2, size); ++i) {
    in.step();
    if (in.equals(v.items()[size_t(i)], args.positional[0])) return i;
  }
  fail(Code::bad_argument, "template: the value is not in the list");
}
Value l_count(Interpreter& in, const Value& v, Args& args) {
  in.step(int64_t(v.items().size()));
  return int64_t(std::count_if(v.items().begin(), v.items().end(),
                               [&](const Value& i) { return in.equals(i, args.positional[0]); }));
}
Value l_copy(Interpreter& in, const Value& v, Args&) {
  in.charge(int64_t(v.items().size()) * 32);
  return Value::list(v.items());
}

Value n_bit_length(Interpreter&, const Value& v, Args&) {
  const uint64_t size = v.integer() < 0 ? 0 - uint64_t(v.integer()) : uint64_t(v.integer());
  return int64_t(size ? 64 - __builtin_clzll(size) : 0);
}
Value n_bit_count(Interpreter&, const Value& v, Args&) {
  const uint64_t size = v.integer() < 0 ? 0 - uint64_t(v.integer()) : uint64_t(v.integer());
  return int64_t(__builtin_popcountll(size));
}
Value n_conjugate(Interpreter&, const Value& v, Args&) { return v.is_real() ? v : Value(v.integer()); }
Value n_is_integer(Interpreter&, const Value& v, Args&) {
  return std::isfinite(v.real()) && v.real() == std::trunc(v.real());
}

constexpr FunctionRow kDictMethods[] = {{"copy", d_copy},
                                        {"fromkeys", d_fromkeys, "/keys /value?"},
                                        {"get", d_get, "/key /default?"},
                                        {"items", d_items},
                                        {"keys", d_keys},
                                        {"values", d_values}};
Value r_find(Interpreter& in, const Value& v, const Value& item) {
  const Range& range = *v.as<Range>();
  Value there;
  for (int64_t i = 0; i < range.size(); ++i) {
    in.step();
    if (range.item(i, there) && in.equals(there, item)) return i;
  }
  return Value(None{});
}
Value r_index(Interpreter& in, const Value& v, Args& args) {
  const Value at = r_find(in, v, args.positional[0]);
  if (at.is_none()) fail(Code::bad_argument, "template: the value is not in the range");
  return at;
}
Value r_count(Interpreter& in, const Value& v, Args& args) {
  return int64_t(!r_find(in, v, args.positional[0]).is_none());
}

constexpr FunctionRow kRangeMethods[] = {{"count", r_count, "/value"}, {"index", r_index, "/value"}};
constexpr FunctionRow kTupleMethods[] = {{"count", l_count, "/value"}, {"index", l_index, "/value /start? /stop?"}};
constexpr FunctionRow kListMethods[] = {
    {"copy", l_copy}, {"count", l_count, "/value"}, {"index", l_index, "/value /start? /stop?"}};
constexpr FunctionRow kIntegerMethods[] = {
    {"bit_count", n_bit_count}, {"bit_length", n_bit_length}, {"conjugate", n_conjugate}};
constexpr FunctionRow kRealMethods[] = {{"conjugate", n_conjugate}, {"is_integer", n_is_integer}};

}  // namespace

std::span<const FunctionRow> character_methods() { return kCharacterMethods; }

const FunctionRow* find_method(const Value& self, std::string_view name) {
  if (self.is_string()) {
    for (const auto rows : {string_methods(), split_methods(), character_methods()}) {
      if (const FunctionRow* row = find_row(rows, name)) return row;
    }
    return nullptr;
  }
  if (self.is_dict()) return find_row(kDictMethods, name);
  if (self.as<Range>()) return find_row(kRangeMethods, name);
  if (self.is_list()) return self.is_tuple() ? find_row(kTupleMethods, name) : find_row(kListMethods, name);
  if (self.is_integral()) return find_row(kIntegerMethods, name);
  return self.is_real() ? find_row(kRealMethods, name) : nullptr;
}

}  // namespace loam::jinja
