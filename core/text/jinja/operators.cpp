// The arithmetic of Python's types.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

constexpr const char* kTexts[] = {
    "", "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"};

[[noreturn]] void fail_operands(Op op, const Value& a, const Value& b) {
  for (const Value* v : {&a, &b}) {
    if (v->is_undefined()) fail_undefined(*v);
  }
  fail(Code::bad_argument, "template: '%s' between a %s and a %s", kTexts[size_t(op)], a.type_name(), b.type_name());
}

[[noreturn]] void fail_overflow() { fail(Code::bad_argument, "template: an integer is too large (over 63 bits)"); }
[[noreturn]] void fail_zero() { fail(Code::bad_argument, "template: division by zero"); }

int64_t floor_divide(int64_t a, int64_t b) {
  if (a == INT64_MIN && b == -1) fail_overflow();
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t integer_power(int64_t base, int64_t exponent) {
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 ? -1 : 1;
  if (exponent > 63) fail_overflow();
  int64_t out = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(out, base, &out)) fail_overflow();
  }
  return out;
}

Value real_power(double a, double b) {
  if (a == 0 && b < 0) fail_zero();
  const double out = std::pow(a, b);
  if (std::isnan(out) && !std::isnan(a) && !std::isnan(b)) {
    fail(Code::unsupported, "template: the power of a negative number is complex");
  }
  if (std::isinf(out) && !std::isinf(a) && !std::isinf(b)) fail(Code::bad_argument, "template: a power is too large");
  return out;
}

Value integer_operation(Op op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Op::add: overflow = __builtin_add_overflow(a, b, &out); break;
    case Op::sub: overflow = __builtin_sub_overflow(a, b, &out); break;
    case Op::mul: overflow = __builtin_mul_overflow(a, b, &out); break;
    case Op::pow: return b < 0 ? real_power(double(a), double(b)) : Value(integer_power(a, b));
    default:
      if (b == 0) fail_zero();
      if (op == Op::div) return double(a) / double(b);
      if (op == Op::mod && b == -1) return int64_t(0);
      out = floor_divide(a, b);
      if (op == Op::mod) out = a - out * b;
  }
  if (overflow) fail_overflow();
  return out;
}

Value real_operation(Op op, double a, double b) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::pow: return real_power(a, b);
    default: break;
  }
  if (b == 0) fail_zero();
  if (op == Op::div) return a / b;
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) {
    rest += b;
    quotient -= 1;
  } else if (rest == 0) {
    rest = std::copysign(0.0, b);
  }
  if (op == Op::mod) return rest;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value repeat(Interpreter& in, const Value& v, int64_t count) {
  count = std::max<int64_t>(count, 0);
  const auto size = int64_t(v.is_string() ? v.string().size() : v.items().size() * 32);
  if (size > 0 && count > (int64_t(1) << 40) / size) count = (int64_t(1) << 40) / size;  // too large as well
  in.charge(size * count);
  if (v.is_string()) {
    std::string out;
    out.reserve(size_t(size * count));
    for (int64_t i = 0; i < count && size; ++i) out += v.string();
    return Value(std::move(out), v.is_markup());
  }
  std::vector<Value> items;
  items.reserve(size_t(count) * v.items().size());
  for (int64_t i = 0; i < count && size; ++i) items.insert(items.end(), v.items().begin(), v.items().end());
  return Value::list(std::move(items), v.is_tuple());
}

Value join_lists(Interpreter& in, const Value& a, const Value& b) {
  in.charge(int64_t(a.items().size() + b.items().size()) * 32);
  std::vector<Value> items;
  items.reserve(a.items().size() + b.items().size());
  items.insert(items.end(), a.items().begin(), a.items().end());
  items.insert(items.end(), b.items().begin(), b.items().end());
  return Value::list(std::move(items), a.is_tuple());
}

// With a safe text, the other one is escaped.
Value join_texts(Interpreter& in, const Value& a, const Value& b) {
  const bool markup = a.is_markup() || b.is_markup();
  in.charge(int64_t(a.string().size() + b.string().size()) * (markup ? 6 : 1));
  if (!markup) return Value(a.string() + b.string());
  return Value((a.is_markup() ? a.string() : escape(a.string())) + (b.is_markup() ? b.string() : escape(b.string())),
               true);
}

}  // namespace

Value binary(Interpreter& in, Op op, const Value& a, const Value& b) {
  if (op == Op::mod && a.is_string()) return python_format(in, a, b);
  if (a.is_number() && b.is_number()) {
    if (a.is_real() || b.is_real()) return real_operation(op, a.real(), b.real());
    return integer_operation(op, a.integer(), b.integer());
  }
  if (op == Op::add && a.is_string() && b.is_string()) return join_texts(in, a, b);
  if (op == Op::add && a.is_list() && b.is_list() && a.is_tuple() == b.is_tuple()) return join_lists(in, a, b);
  if (op == Op::mul && (a.is_string() || a.is_list()) && b.is_integral()) return repeat(in, a, b.integer());
  if (op == Op::mul && a.is_integral() && (b.is_string() || b.is_list())) return repeat(in, b, a.integer());
  fail_operands(op, a, b);
}

}  // namespace loam::jinja
