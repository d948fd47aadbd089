// Attributes, subscripts, iteration, and the arithmetic of Python's types.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {

Value Interpreter::attribute(const Value& object, std::string_view attribute_name) {
  if (object.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", object.undefined_name().c_str());
  Value out;
  if (object.is_object() && object.object()->attribute(attribute_name, out)) return out;
  if (const Apply method = find_method(object, attribute_name)) {
    return Value(std::shared_ptr<Object>(std::make_shared<Function>(method, object)));
  }
  if (object.is_dict()) {
    if (const Value* v = object.find(Value(attribute_name))) return *v;
  }
  return Value::undefined(attribute_name);
}

Value Interpreter::subscript(const Value& object, const Value& key) {
  if (object.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", object.undefined_name().c_str());
  if (object.is_dict()) {
    if (const Value* v = object.find(key)) return *v;
  }
  if (key.is_integral() && (object.is_list() || object.is_string())) {
    const auto characters = object.is_string() ? text_characters(object.string()) : std::vector<std::string_view>();
    const auto size = int64_t(object.is_string() ? characters.size() : object.items().size());
    step(object.is_string() ? size / 16 : 0);
    const int64_t i = key.integer() < 0 ? key.integer() + size : key.integer();
    if (i < 0 || i >= size) return Value::undefined(key.text());
    return object.is_string() ? Value(characters[size_t(i)]) : object.items()[size_t(i)];
  }
  return key.is_string() ? attribute(object, key.string()) : Value::undefined(key.text());
}

Value Interpreter::get_path(const Value& object, std::string_view dotted) {
  Value at = object;
  while (true) {
    const size_t dot = dotted.find('.');
    const std::string part(dotted.substr(0, dot));
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos && part.size() < 10;
    at = subscript(at, number ? Value(int64_t(std::stoll(part))) : Value(part));
    if (dot == std::string_view::npos) return at;
    dotted.remove_prefix(dot + 1);
  }
}

std::vector<Value> Interpreter::iterate(const Value& v) {
  std::vector<Value> out;
  if (v.is_list())
    out = v.items();
  else if (v.is_dict()) {
    for (const auto& pair : v.pairs()) out.push_back(pair.first);
  } else if (v.is_string()) {
    for (const std::string_view c : text_characters(v.string())) out.emplace_back(c);
  } else if (!v.is_undefined()) {
    fail(Code::bad_argument, "template: a %s cannot be iterated", v.type_name());
  }
  step(int64_t(out.size()));
  return out;
}

namespace {

[[noreturn]] void fail_operands(std::string_view op, const Value& a, const Value& b) {
  for (const Value* v : {&a, &b}) {
    if (v->is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", v->undefined_name().c_str());
  }
  fail(Code::bad_argument, "template: '%s' between a %s and a %s", std::string(op).c_str(), a.type_name(),
       b.type_name());
}

[[noreturn]] void fail_overflow() { fail(Code::bad_argument, "template: a number is too large or divided by zero"); }

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) fail_overflow();
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t integer_power(int64_t base, int64_t exponent) {
  int64_t out = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (i > 64 && base != 0 && base != 1 && base != -1) fail_overflow();
    if (i > 64) return base == -1 ? (exponent % 2 ? -1 : 1) : base;
    if (__builtin_mul_overflow(out, base, &out)) fail_overflow();
  }
  return out;
}

Value integer_operation(std::string_view op, int64_t a, int64_t b) {
  int64_t out = 0;
  if (op == "+"   ? __builtin_add_overflow(a, b, &out)
      : op == "-" ? __builtin_sub_overflow(a, b, &out)
      : op == "*" ? __builtin_mul_overflow(a, b, &out)
                  : false) {
    fail_overflow();
  }
  if (op == "/") {
    if (b == 0) fail_overflow();
    return double(a) / double(b);
  }
  if (op == "//") return floor_divide(a, b);
  if (op == "%") return a - floor_divide(a, b) * b;
  if (op == "**") return b < 0 ? Value(std::pow(double(a), double(b))) : Value(integer_power(a, b));
  return out;
}

Value real_operation(std::string_view op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "**") return std::pow(a, b);
  if (b == 0) fail_overflow();
  if (op == "/") return a / b;
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return op == "%" ? rest : std::floor((a - rest) / b + 0.5);
}

Value repeat(Interpreter& in, const Value& v, int64_t count) {
  count = std::max<int64_t>(count, 0);
  const size_t size = v.is_string() ? v.string().size() : v.items().size() * 16;
  if (count > 0 && size > (size_t(1) << 40) / size_t(count)) fail_overflow();
  in.charge(size * size_t(count));
  if (v.is_string()) {
    std::string out;
    for (int64_t i = 0; i < count && size; ++i) out += v.string();
    return Value(std::move(out));
  }
  std::vector<Value> items;
  for (int64_t i = 0; i < count && size; ++i) items.insert(items.end(), v.items().begin(), v.items().end());
  return Value::list(std::move(items), v.is_tuple());
}

Value join_lists(Interpreter& in, const Value& a, const Value& b) {
  std::vector<Value> items = a.items();
  items.insert(items.end(), b.items().begin(), b.items().end());
  in.step(int64_t(items.size()) / 4);
  return Value::list(std::move(items), a.is_tuple());
}

}  // namespace

Value binary(Interpreter& in, std::string_view op, const Value& a, const Value& b) {
  if (op == "~") {
    std::string left = a.text();
    return in.text(left += b.text());
  }
  if (a.is_number() && b.is_number()) {
    if (a.is_real() || b.is_real()) return real_operation(op, a.real(), b.real());
    return integer_operation(op, a.integer(), b.integer());
  }
  if (op == "+" && a.is_string() && b.is_string()) return in.text(a.string() + b.string());
  if (op == "+" && a.is_list() && b.is_list() && a.is_tuple() == b.is_tuple()) return join_lists(in, a, b);
  if (op == "*" && (a.is_string() || a.is_list()) && b.is_integral()) return repeat(in, a, b.integer());
  if (op == "*" && a.is_integral() && (b.is_string() || b.is_list())) return repeat(in, b, a.integer());
  if (op == "%" && a.is_string()) {
    const bool rest =
        b.is_dict() || b.is_undefined() || (b.is_list() && !b.is_tuple());  // Python takes these for named values
    return python_format(in, a.string(), b.is_tuple() ? b.items() : std::vector<Value>{b}, rest);
  }
  fail_operands(op, a, b);
}

}  // namespace loam::jinja
