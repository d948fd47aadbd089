// Tests: what may stand behind "is".
#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

Value t_boolean(Interpreter&, const Value& v, Args&) { return v.is_bool(); }
Value t_callable(Interpreter&, const Value& v, Args&) {
  return v.is_undefined() || (v.is_object() && v.object()->callable());
}
Value t_defined(Interpreter&, const Value& v, Args&) { return !v.is_undefined(); }
Value remainder_is(Interpreter& in, const Value& v, const Value& by, int64_t rest) {
  return in.equals(binary(in, Op::mod, v, by), Value(rest));
}
Value t_divisible(Interpreter& in, const Value& v, Args& args) { return remainder_is(in, v, *args.find(0, "num"), 0); }
Value t_escaped(Interpreter&, const Value& v, Args&) { return v.is_markup(); }
Value t_equal(Interpreter& in, const Value& v, Args& args) { return in.equals(v, args.positional[0]); }
Value t_even(Interpreter& in, const Value& v, Args&) { return remainder_is(in, v, Value(int64_t(2)), 0); }
Value t_false(Interpreter&, const Value& v, Args&) { return v.is_bool() && !equal(v, Value(true)); }
Value t_filter(Interpreter&, const Value& v, Args&) {
  check_hashable(v);
  return v.is_string() && find_filter(v.string());
}
Value t_float(Interpreter&, const Value& v, Args&) { return v.is_real(); }
Value t_greater(Interpreter& in, const Value& v, Args& args) { return in.is_less(args.positional[0], v); }
Value t_greater_equal(Interpreter& in, const Value& v, Args& args) {
  return in.is_less(args.positional[0], v) || in.equals(v, args.positional[0]);
}
Value t_in(Interpreter& in, const Value& v, Args& args) { return in.contains(*args.find(0, "seq"), v); }
Value t_integer(Interpreter&, const Value& v, Args&) { return v.is_int(); }
Value t_iterable(Interpreter&, const Value& v, Args&) {
  return v.is_string() || v.is_list() || v.is_dict() || v.is_undefined() ||
         (v.is_object() && v.object()->iterator(false));
}
Value t_less(Interpreter& in, const Value& v, Args& args) { return in.is_less(v, args.positional[0]); }
Value t_less_equal(Interpreter& in, const Value& v, Args& args) {
  return in.is_less(v, args.positional[0]) || in.equals(v, args.positional[0]);
}

// All letters that have a case have this one, and there is one.
Value has_case(Interpreter& in, const Value& v, bool wanted_upper) {
  bool found = false;
  const std::string s = in.str(v);
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    const std::string_view one(s.data() + at, c.bytes);
    at += c.bytes;
    if (!is_cased(c.code)) continue;
    const bool same_upper = upper(one) == one, same_lower = lower(one) == one;
    if (wanted_upper ? !same_upper : !same_lower) return false;
    found = true;
  }
  return found;
}
Value t_lower(Interpreter& in, const Value& v, Args&) { return has_case(in, v, false); }
Value t_upper(Interpreter& in, const Value& v, Args&) { return has_case(in, v, true); }

Value t_mapping(Interpreter&, const Value& v, Args&) { return v.is_dict(); }
Value t_none(Interpreter&, const Value& v, Args&) { return v.is_none(); }
Value t_not_equal(Interpreter& in, const Value& v, Args& args) { return !in.equals(v, args.positional[0]); }
Value t_number(Interpreter&, const Value& v, Args&) { return v.is_number(); }
Value t_odd(Interpreter& in, const Value& v, Args&) { return remainder_is(in, v, Value(int64_t(2)), 1); }
Value t_same(Interpreter&, const Value& v, Args& args) { return v.same(*args.find(0, "other")); }
Value t_sequence(Interpreter&, const Value& v, Args&) {
  return v.is_string() || v.is_list() || v.is_dict() || v.is_undefined() || (v.is_object() && v.object()->indexable());
}
Value t_string(Interpreter&, const Value& v, Args&) { return v.is_string(); }
Value t_test(Interpreter&, const Value& v, Args&) {
  check_hashable(v);
  return v.is_string() && find_test(v.string());
}
Value t_true(Interpreter&, const Value& v, Args&) { return v.is_bool() && equal(v, Value(true)); }
Value t_undefined(Interpreter&, const Value& v, Args&) { return v.is_undefined(); }

constexpr FunctionRow kTests[] = {
    {"!=", t_not_equal, "/other"},
    {"<", t_less, "/other"},
    {"<=", t_less_equal, "/other"},
    {"==", t_equal, "/other"},
    {">", t_greater, "/other"},
    {">=", t_greater_equal, "/other"},
    {"boolean", t_boolean},
    {"callable", t_callable},
    {"defined", t_defined},
    {"divisibleby", t_divisible, "num"},
    {"eq", t_equal, "/other"},
    {"equalto", t_equal, "/other"},
    {"escaped", t_escaped},
    {"even", t_even},
    {"false", t_false},
    {"filter", t_filter},
    {"float", t_float},
    {"ge", t_greater_equal, "/other"},
    {"greaterthan", t_greater, "/other"},
    {"gt", t_greater, "/other"},
    {"in", t_in, "seq"},
    {"integer", t_integer},
    {"iterable", t_iterable},
    {"le", t_less_equal, "/other"},
    {"lessthan", t_less, "/other"},
    {"lower", t_lower},
    {"lt", t_less, "/other"},
    {"mapping", t_mapping},
    {"ne", t_not_equal, "/other"},
    {"none", t_none},
    {"number", t_number},
    {"odd", t_odd},
    {"sameas", t_same, "other"},
    {"sequence", t_sequence},
    {"string", t_string},
    {"test", t_test},
    {"true", t_true},
    {"undefined", t_undefined},
    {"upper", t_upper},
};

}  // namespace

const FunctionRow* find_test(std::string_view name) { return find_row(kTests, name); }

}  // namespace loam::jinja
