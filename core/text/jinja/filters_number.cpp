// Filters on numbers, and on values of any kind.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

Value f_abs(Interpreter&, const Value& v, Args&) {
  if (!v.is_number()) fail(Code::bad_argument, "template: abs of a %s", v.type_name());
  if (v.is_real()) return std::abs(v.real());
  if (v.integer() == INT64_MIN) fail(Code::bad_argument, "template: an integer is too large");
  return std::abs(v.integer());
}

Value f_default(Interpreter& in, const Value& v, Args& args) {
  const Value *otherwise = args.find(0, "default_value"), *boolean = args.find(1, "boolean");
  const bool use = v.is_undefined() || (boolean && in.truth(*boolean) && !in.truth(v));
  return !use ? v : otherwise ? *otherwise : Value("");
}

Value f_float(Interpreter&, const Value& v, Args& args) {
  if (v.is_number()) return v.real();
  if (v.is_undefined()) fail_undefined(v);
  if (v.is_string()) {
    if (const std::optional<double> parsed = parse_real(v.string())) return *parsed;
  }
  const Value* otherwise = args.find(0, "default");
  return otherwise ? *otherwise : Value(0.0);
}

Value whole_of(double real) {
  if (std::abs(real) >= 0x1p63)
    fail(Code::bad_argument, "template: the integer of %s is too large", real_text(real).c_str());
  return int64_t(real);
}

Value f_int(Interpreter&, const Value& v, Args& args) {
  const Value* given = args.find(0, "default");
  const Value otherwise = given ? *given : Value(int64_t(0));
  if (v.is_undefined()) fail_undefined(v);
  if (v.is_integral()) return v.integer();
  if (v.is_real()) {
    if (std::isinf(v.real())) fail(Code::bad_argument, "template: infinity has no integer");
    return std::isnan(v.real()) ? otherwise : whole_of(v.real());
  }
  if (!v.is_string()) return otherwise;
  if (const auto parsed = parse_integer(v.string(), args.integer(1, "base", 10))) return *parsed;
  const std::optional<double> real = parse_real(v.string());
  return real && std::isfinite(*real) ? whole_of(*real) : otherwise;
}

// Half to even, of integers to tens, hundreds ...
int64_t round_integer(int64_t v, int64_t digits) {
  if (digits >= 0) return v;
  if (digits < -18) return 0;
  int64_t unit = 1;
  for (int64_t i = 0; i < -digits; ++i) unit *= 10;
  const int64_t rest = ((v % unit) + unit) % unit, low = v - rest;
  const bool up = rest > unit - rest || (rest == unit - rest && (low / unit) % 2 != 0);
  return up ? low + unit : low;
}

double round_real(double v, int64_t digits) {
  if (!std::isfinite(v) || digits > 330) return v;
  if (digits >= 0) {
    char buffer[700];
    std::snprintf(buffer, sizeof buffer, "%.*f", int(digits), v);
    return std::strtod(buffer, nullptr);
  }
  if (digits < -310) return std::copysign(0.0, v);
  const double unit = std::pow(10.0, double(-digits));
  return std::nearbyint(v / unit) * unit;
}

Value f_round(Interpreter&, const Value& v, Args& args) {
  const std::string method = args.text(1, "method", "common");
  if (method != "common" && method != "ceil" && method != "floor") {
    fail(Code::bad_argument, "template: round by '%.60s', not common, ceil or floor", method.c_str());
  }
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_number()) fail(Code::bad_argument, "template: round of a %s", v.type_name());
  const int64_t digits = args.integer(0, "precision", 0);
  if (method == "common") {
    return v.is_real() ? Value(round_real(v.real(), digits)) : Value(round_integer(v.integer(), digits));
  }
  if (std::abs(digits) > 300) fail(Code::bad_argument, "template: round to %d digits", int(digits));
  const double scale = std::pow(10.0, double(digits)), scaled = v.real() * scale;
  if (!std::isfinite(scaled)) fail(Code::bad_argument, "template: round of a number without end");
  return (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

Value f_filesizeformat(Interpreter& in, const Value& v, Args& args) {
  Args none;
  if (v.is_string() ? !parse_real(v.string()) : !v.is_number()) {
    fail(Code::bad_argument, "template: filesizeformat of a %s", v.type_name());
  }
  const double bytes = f_float(in, v, none).real();
  const Value* flag = args.find(0, "binary");
  const bool binary = flag && in.truth(*flag);
  const double base = binary ? 1024 : 1000;
  char text[64];
  if (bytes == 1) return "1 Byte";
  if (bytes < base) {
    std::snprintf(text, sizeof text, "%lld Bytes", static_cast<long long>(bytes));
    return text;
  }
  double unit = base * base;
  size_t i = 0;
  for (; i < 7 && !(bytes < unit); ++i) unit *= base;
  std::snprintf(text, sizeof text, "%.1f %c%s", base * bytes / unit, (binary ? "KMGTPEZY" : "kMGTPEZY")[i],
                binary ? "iB" : "B");
  return text;
}

Value f_attr(Interpreter&, const Value& v, Args& args) {
  if (v.is_undefined()) fail_undefined(v);
  Value out;
  const std::string name = args.text(0, "name", "");
  return get_attribute(v, name, out) ? out : Value::undefined("there is no attribute '" + name + "'");
}

Value f_random(Interpreter&, const Value&, Args&) {
  fail(Code::unsupported, "template: the filter random is not supported: prompts do not depend on chance");
}

constexpr FunctionRow kFilters[] = {
    {"abs", f_abs},
    {"attr", f_attr, "name"},
    {"d", f_default, "default_value? boolean?"},
    {"default", f_default, "default_value? boolean?"},
    {"filesizeformat", f_filesizeformat, "binary?"},
    {"float", f_float, "default?"},
    {"int", f_int, "default? base?"},
    {"random", f_random},
    {"round", f_round, "precision? method?"},
};

}  // namespace

std::span<const FunctionRow> number_filters() { return kFilters; }

}  // namespace loam::jinja
