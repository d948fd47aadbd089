// Expressions.
#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/text/jinja/lexer.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {

Interpreter::Deeper::Deeper(Interpreter& in) : i(in) {
  if (++i.depth_ > i.limits_.depth) fail(Code::bad_argument, "template: nested deeper than %d levels", i.limits_.depth);
}

void Interpreter::step(int64_t count) {
  limits_.steps -= count;
  if (limits_.steps < 0) fail(Code::bad_argument, "template: it takes too many steps");
}

void Interpreter::charge(size_t bytes) {
  if (bytes > size_t(limits_.bytes)) fail(Code::bad_argument, "template: it makes too much text");
  limits_.bytes -= int64_t(bytes);
}

Value Interpreter::text(std::string s) {
  charge(s.size());
  return Value(std::move(s));
}

Value Interpreter::evaluate(const Expr& e) {
  const Deeper deeper(*this);
  step();
  switch (e.kind) {
    case ExprKind::constant: return e.value;
    case ExprKind::name: return name(e);
    case ExprKind::list: return Value::list(evaluate_all(e));
    case ExprKind::tuple: return Value::list(evaluate_all(e), true);
    case ExprKind::dict: return dict(e);
    case ExprKind::attribute: return attribute(evaluate(*e.args[0]), e.text);
    case ExprKind::subscript: {
      const Value object = evaluate(*e.args[0]);
      return subscript(object, evaluate(*e.args[1]));
    }
    case ExprKind::slice: return slice(e);
    case ExprKind::call: return call_expression(e);
    case ExprKind::filter: return filter(e, nullptr);
    case ExprKind::test: {
      const Value input = evaluate(*e.args[0]);
      Args args = arguments(e);
      return apply_test(e.text, input, args);
    }
    case ExprKind::unary: return unary(e);
    case ExprKind::binary: {
      const Value left = evaluate(*e.args[0]);
      return binary(*this, e.text, left, evaluate(*e.args[1]));
    }
    case ExprKind::logic: return logic(e);
    case ExprKind::compare: return compare(e);
    case ExprKind::conditional:
      if (evaluate(*e.args[1]).truth()) return evaluate(*e.args[0]);
      return e.args[2] ? evaluate(*e.args[2]) : Value::undefined("the inline if without else");
  }
  fail(Code::internal, "template: a node of an unknown kind");
}

std::vector<Value> Interpreter::evaluate_all(const Expr& e) {
  std::vector<Value> out;
  out.reserve(e.args.size());
  for (const ExprPtr& a : e.args) out.push_back(evaluate(*a));
  return out;
}

Value Interpreter::dict(const Expr& e) {
  std::vector<std::pair<Value, Value>> items;
  for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
    Value key = evaluate(*e.args[i]), value = evaluate(*e.args[i + 1]);
    check_hashable(key);
    step(int64_t(items.size()));
    bool found = false;
    for (auto& item : items) {
      if (!equal(item.first, key)) continue;
      item.second = value;
      found = true;
    }
    if (!found) items.emplace_back(std::move(key), std::move(value));
  }
  return Value::dict(std::move(items));
}

Value Interpreter::name(const Expr& e) {
  for (const Scope* s = scope_; s; s = s->parent) {
    if (const Value* v = s->find(e.text)) return *v;
  }
  return Value::undefined(e.text);
}

Value Interpreter::unary(const Expr& e) {
  const Value v = evaluate(*e.args[0]);
  if (e.text == "not") return !v.truth();
  if (!v.is_number()) fail(Code::bad_argument, "template: '%s' before a %s", e.text.c_str(), v.type_name());
  if (e.text == "+") return v.is_real() ? v : Value(v.integer());
  return v.is_real() ? Value(-v.real()) : Value(-v.integer());
}

Value Interpreter::logic(const Expr& e) {
  Value left = evaluate(*e.args[0]);
  if (left.truth() == (e.text == "or")) return left;
  return evaluate(*e.args[1]);
}

Value Interpreter::compare(const Expr& e) {
  Value left = evaluate(*e.args[0]);
  for (size_t i = 0; i < e.ops.size(); ++i) {
    Value right = evaluate(*e.args[i + 1]);
    step(left.weight() / 64 + right.weight() / 64);
    const std::string& op = e.ops[i];
    bool holds = false;
    if (op == "==")
      holds = equal(left, right);
    else if (op == "!=")
      holds = !equal(left, right);
    else if (op == "<")
      holds = less(left, right);
    else if (op == ">")
      holds = less(right, left);
    else if (op == "<=")
      holds = less(left, right) || equal(left, right);
    else if (op == ">=")
      holds = less(right, left) || equal(left, right);
    else if (op == "in")
      holds = contains(right, left);
    else
      holds = !contains(right, left);
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::slice(const Expr& e) {
  const Value object = evaluate(*e.args[0]);
  const auto bound = [&](size_t i, int64_t otherwise) {
    if (!e.args[i]) return otherwise;
    const Value v = evaluate(*e.args[i]);
    if (v.is_none()) return otherwise;
    if (!v.is_integral()) fail(Code::bad_argument, "template: a slice with a %s", v.type_name());
    return v.integer();
  };
  const int64_t by = bound(3, 1);
  if (by == 0) fail(Code::bad_argument, "template: a slice with step 0");
  if (!object.is_string() && !object.is_list()) {
    if (object.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", object.undefined_name().c_str());
    fail(Code::bad_argument, "template: a %s cannot be sliced", object.type_name());
  }
  const auto characters = object.is_string() ? text_characters(object.string()) : std::vector<std::string_view>();
  const auto size = int64_t(object.is_string() ? characters.size() : object.items().size());
  const int64_t least = by > 0 ? 0 : -1, most = by > 0 ? size : size - 1;
  const auto clamp = [&](int64_t i) { return std::min(std::max(i < 0 ? i + size : i, least), most); };
  constexpr int64_t kNone = INT64_MIN;
  const int64_t given_start = bound(1, kNone), given_stop = bound(2, kNone);
  const int64_t start = given_start == kNone ? (by > 0 ? 0 : size - 1) : clamp(given_start);
  const int64_t stop = given_stop == kNone ? (by > 0 ? size : -1) : clamp(given_stop);
  std::string text_out;
  std::vector<Value> items;
  for (int64_t i = start; by > 0 ? i < stop : i > stop; i += by) {
    if (object.is_string())
      text_out += characters[size_t(i)];
    else
      items.push_back(object.items()[size_t(i)]);
    if (by > size || by < -size) break;
  }
  step(size / 16);
  return object.is_string() ? text(std::move(text_out)) : Value::list(std::move(items), object.is_tuple());
}

Args Interpreter::arguments(const Expr& e) {
  Args args;
  for (size_t i = 1; i < e.args.size(); ++i) args.positional.push_back(evaluate(*e.args[i]));
  for (const auto& [key, value] : e.named) args.named.emplace_back(key, evaluate(*value));
  return args;
}

Value Interpreter::call_expression(const Expr& e, const Value* caller) {
  const Expr& callee = *e.args[0];
  if (callee.kind == ExprKind::attribute) {
    const Value self = evaluate(*callee.args[0]);
    if (const Apply method = find_method(self, callee.text)) {
      Args args = arguments(e);
      return method(*this, self, args);
    }
    const Value function = attribute(self, callee.text);
    Args args = arguments(e);
    return call(function, args);
  }
  const Value function = evaluate(callee);
  Args args = arguments(e);
  if (caller) args.named.emplace_back("caller", *caller);
  return call(function, args);
}

Value Interpreter::call(const Value& callee, Args& args) {
  if (callee.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", callee.undefined_name().c_str());
  if (!callee.is_object()) fail(Code::bad_argument, "template: a %s cannot be called", callee.type_name());
  const Deeper deeper(*this);
  return callee.object()->call(*this, args);
}

Value Interpreter::filter(const Expr& e, const Value* input) {
  Value value;
  if (!e.args[0])
    value = *input;
  else if (input && e.args[0]->kind == ExprKind::filter)
    value = filter(*e.args[0], input);
  else
    value = evaluate(*e.args[0]);
  Args args = arguments(e);
  return apply_filter(e.text, value, args);
}

Value Interpreter::apply_filter(std::string_view filter_name, const Value& input, Args& args) {
  const Apply apply = find_filter(filter_name);
  if (!apply) fail(Code::unsupported, "template: no filter named '%s'", std::string(filter_name).c_str());
  step(input.weight() / 16);
  return apply(*this, input, args);
}

bool Interpreter::apply_test(std::string_view test_name, const Value& input, Args& args) {
  const Apply apply = find_test(test_name);
  if (!apply) fail(Code::unsupported, "template: no test named '%s'", std::string(test_name).c_str());
  return apply(*this, input, args).truth();
}

}  // namespace loam::jinja
