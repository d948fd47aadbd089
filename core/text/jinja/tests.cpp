// Tests: what may stand behind "is".
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/filter_rows.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

const Value& first(Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: this test needs an argument");
  return args.positional[0];
}
int64_t whole(const Value& v) {
  if (!v.is_integral()) fail(Code::bad_argument, "template: this test needs an integer, not a %s", v.type_name());
  return v.integer();
}

// v % by == rest with Python's sign of the remainder.
bool remainder_is(const Value& v, int64_t by, int64_t rest) {
  if (v.is_real()) {
    const double r = std::fmod(v.real(), double(by));
    return (r != 0 && (r < 0) != (by < 0) ? r + double(by) : r) == double(rest);
  }
  if (by == -1) return rest == 0;
  const int64_t r = whole(v) % by;
  return (r != 0 && (r < 0) != (by < 0) ? r + by : r) == rest;
}

Value t_boolean(Interpreter&, const Value& v, Args&) { return v.is_bool(); }
Value t_callable(Interpreter&, const Value& v, Args&) { return v.is_object() && v.object()->callable(); }
Value t_defined(Interpreter&, const Value& v, Args&) { return !v.is_undefined(); }
Value t_divisible(Interpreter&, const Value& v, Args& args) {
  const int64_t by = whole(first(args));
  if (by == 0) fail(Code::bad_argument, "template: divisibleby 0");
  return remainder_is(v, by, 0);
}
Value t_equal(Interpreter&, const Value& v, Args& args) { return equal(v, first(args)); }
Value t_even(Interpreter&, const Value& v, Args&) { return remainder_is(v, 2, 0); }
Value t_false(Interpreter&, const Value& v, Args&) { return v.is_bool() && !v.truth(); }
Value t_filter(Interpreter&, const Value& v, Args&) { return v.is_string() && find_filter(v.string()); }
Value t_float(Interpreter&, const Value& v, Args&) { return v.is_real(); }
Value t_greater(Interpreter&, const Value& v, Args& args) { return less(first(args), v); }
Value t_greater_equal(Interpreter&, const Value& v, Args& args) {
  return less(first(args), v) || equal(v, first(args));
}
Value t_in(Interpreter&, const Value& v, Args& args) { return contains(first(args), v); }
Value t_integer(Interpreter&, const Value& v, Args&) { return v.is_int(); }
Value t_iterable(Interpreter&, const Value& v, Args&) {
  return v.is_string() || v.is_list() || v.is_dict() || v.is_undefined();
}
Value t_less(Interpreter&, const Value& v, Args& args) { return less(v, first(args)); }
Value t_less_equal(Interpreter&, const Value& v, Args& args) { return less(v, first(args)) || equal(v, first(args)); }
Value t_lower(Interpreter&, const Value& v, Args&) {
  const std::string s = v.text();
  return s == lower(s) && s != upper(s);
}
Value t_mapping(Interpreter&, const Value& v, Args&) { return v.is_dict(); }
Value t_none(Interpreter&, const Value& v, Args&) { return v.is_none(); }
Value t_not_equal(Interpreter&, const Value& v, Args& args) { return !equal(v, first(args)); }
Value t_number(Interpreter&, const Value& v, Args&) { return v.is_number(); }
Value t_odd(Interpreter&, const Value& v, Args&) { return remainder_is(v, 2, 1); }
Value t_same(Interpreter&, const Value& v, Args& args) {
  const Value& other = first(args);
  return v.is_bool() == other.is_bool() && v.is_real() == other.is_real() && equal(v, other);
}
Value t_sequence(Interpreter&, const Value& v, Args&) {
  return v.is_string() || v.is_list() || v.is_dict() || v.is_undefined();
}
Value t_string(Interpreter&, const Value& v, Args&) { return v.is_string(); }
Value t_test(Interpreter&, const Value& v, Args&) { return v.is_string() && find_test(v.string()); }
Value t_true(Interpreter&, const Value& v, Args&) { return v.is_bool() && v.truth(); }
Value t_undefined(Interpreter&, const Value& v, Args&) { return v.is_undefined(); }
Value t_upper(Interpreter&, const Value& v, Args&) {
  const std::string s = v.text();
  return s == upper(s) && s != lower(s);
}

const NamedApply kTests[] = {
    {"!=", t_not_equal},
    {"<", t_less},
    {"<=", t_less_equal},
    {"==", t_equal},
    {">", t_greater},
    {">=", t_greater_equal},
    {"boolean", t_boolean},
    {"callable", t_callable},
    {"defined", t_defined},
    {"divisibleby", t_divisible},
    {"eq", t_equal},
    {"equalto", t_equal},
    {"even", t_even},
    {"false", t_false},
    {"filter", t_filter},
    {"float", t_float},
    {"ge", t_greater_equal},
    {"greaterthan", t_greater},
    {"gt", t_greater},
    {"in", t_in},
    {"integer", t_integer},
    {"iterable", t_iterable},
    {"le", t_less_equal},
    {"lessthan", t_less},
    {"lower", t_lower},
    {"lt", t_less},
    {"mapping", t_mapping},
    {"ne", t_not_equal},
    {"none", t_none},
    {"number", t_number},
    {"odd", t_odd},
    {"sameas", t_same},
    {"sequence", t_sequence},
    {"string", t_string},
    {"test", t_test},
    {"true", t_true},
    {"undefined", t_undefined},
    {"upper", t_upper},
};

}  // namespace

Apply find_test(std::string_view name) { return find_row(kTests, name); }

}  // namespace loam::jinja
