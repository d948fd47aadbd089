// Expressions.
#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {

Interpreter::Deeper::Deeper(Interpreter& in) : i(in) {
  if (++i.depth_ > i.budget_.depth) {
    --i.depth_;
    fail(Code::bad_argument, "template: nested deeper than %d levels while running", i.budget_.depth);
  }
}

void Interpreter::fail_steps() const {
  fail(Code::bad_argument, "template: it takes more than %lld steps", (long long)steps_at_start_);
}

void Interpreter::charge(int64_t bytes) {
  if (const Meter* meter = Meter::current()) meter->check(bytes);
  step(bytes / 64);
}

void Interpreter::walk(const Value& v) {
  const int64_t weight = v.weight();
  if (const Meter* meter = Meter::current()) meter->check(weight * 4);
  step(weight / 4);
}

Value Interpreter::text(std::string s, bool markup) {
  step(int64_t(s.size() / 64));
  return Value(std::move(s), markup);
}

std::string Interpreter::str(const Value& v) {
  if (v.is_string()) {
    charge(int64_t(v.string().size()));
    return v.string();
  }
  if (v.is_list() || v.is_dict()) walk(v);
  std::string out = v.text();
  step(int64_t(out.size() / 64));
  return out;
}

Value Interpreter::evaluate(const Expr& e) {
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
      if (!e.row) fail(Code::unsupported, "template: no test named '%.60s'", e.text.c_str());
      return apply_row(*this, *e.row, input, args);
    }
    case ExprKind::unary: return unary(e);
    case ExprKind::binary: {
      const Value left = evaluate(*e.args[0]);
      return binary(*this, e.op, left, evaluate(*e.args[1]));
    }
    case ExprKind::concat: return concat(e);
    case ExprKind::logic: {
      Value left = evaluate(*e.args[0]);
      return truth(left) == (e.op == Op::either) ? left : evaluate(*e.args[1]);
    }
    case ExprKind::compare: return compare(e);
    case ExprKind::conditional:
      if (truth(evaluate(*e.args[1]))) return evaluate(*e.args[0]);
      return e.args[2] ? evaluate(*e.args[2]) : Value::undefined("the inline if is false and has no else");
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
  DictMaker dict;
  for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
    const Value key = evaluate(*e.args[i]);
    walk(key);
    dict.put(key, evaluate(*e.args[i + 1]));
  }
  return dict.take();
}

Value Interpreter::name(const Expr& e) {
  if (e.slot.index >= 0) {
    if (const std::optional<Value>& v = at(e.slot)) return *v;
  }
  return Value::undefined_name(e.text);
}

Value Interpreter::unary(const Expr& e) {
  const Value v = evaluate(*e.args[0]);
  if (e.op == Op::negate) return !truth(v);
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_number()) fail(Code::bad_argument, "template: a sign before a %s", v.type_name());
  if (e.op == Op::plus) return v.is_real() ? v : Value(v.integer());
  if (v.is_real()) return -v.real();
  if (v.integer() == INT64_MIN) fail(Code::bad_argument, "template: an integer is too large");
  return -v.integer();
}

Value Interpreter::concat(const Expr& e) {
  const std::vector<Value> parts = evaluate_all(e);
  std::string out;
  for (const Value& v : parts) {
    if (v.is_string()) {
      charge(int64_t(v.string().size() + out.size() / 8));
      out += v.string();
    } else {
      out += str(v);
    }
  }
  return Value(std::move(out));
}

bool Interpreter::compare_one(Op op, const Value& left, const Value& right) {
  switch (op) {
    case Op::eq: return equals(left, right);
    case Op::ne: return !equals(left, right);
    case Op::lt: return is_less(left, right);
    case Op::gt: return is_less(right, left);
    case Op::le: return is_less(left, right) || equals(left, right);
    case Op::ge: return is_less(right, left) || equals(left, right);
    case Op::in: return contains(right, left);
    default: return !contains(right, left);
  }
}

Value Interpreter::compare(const Expr& e) {
  Value left = evaluate(*e.args[0]);
  for (size_t i = 0; i < e.ops.size(); ++i) {
    Value right = evaluate(*e.args[i + 1]);
    if (!compare_one(e.ops[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Args Interpreter::arguments(const Expr& e, const Value* caller) {
  Args args;
  args.positional.reserve(e.args.size() - 1);
  for (size_t i = 1; i < e.args.size(); ++i) args.positional.push_back(evaluate(*e.args[i]));
  for (const auto& [key, value] : e.named) {
    if (caller && key == "caller") fail(Code::bad_argument, "template: the argument 'caller' is given twice");
    args.named.emplace_back(key, evaluate(*value));
  }
  if (caller) args.named.emplace_back("caller", *caller);
  if (e.all) {
    const std::vector<Value> more = to_list(evaluate(*e.all));
    args.positional.insert(args.positional.end(), more.begin(), more.end());
  }
  if (!e.all_named) return args;
  const Value more = evaluate(*e.all_named);
  if (!more.is_dict()) fail(Code::bad_argument, "template: the argument behind ** is not a dict");
  step(int64_t(more.pairs().size() * (1 + args.named.size())));
  const size_t given = args.named.size();
  for (const auto& [key, value] : more.pairs()) {
    if (!key.is_string()) fail(Code::bad_argument, "template: the keys behind ** are not texts");
    for (size_t i = 0; i < given; ++i) {
      if (args.named[i].first == key.string()) fail(Code::bad_argument, "template: an argument is given twice");
    }
    args.named.emplace_back(key.string(), value);
  }
  return args;
}

Value Interpreter::call_expression(const Expr& e, const Value* caller) {
  const Expr& callee = *e.args[0];
  if (callee.kind == ExprKind::attribute && !caller) {
    const Value self = evaluate(*callee.args[0]);
    if (const FunctionRow* method = find_method(self, callee.text)) {  // without an object for the method
      Args args = arguments(e);
      const Deeper deeper(*this);
      return apply_row(*this, *method, self, args);
    }
    const Value function = attribute(self, callee.text);
    Args args = arguments(e);
    return call(function, args);
  }
  const Value function = evaluate(callee);
  Args args = arguments(e, caller);
  return call(function, args);
}

Value Interpreter::call(const Value& callee, Args& args) {
  if (callee.is_undefined()) fail_undefined(callee);
  if (!callee.is_object()) fail(Code::bad_argument, "template: a %s cannot be called", callee.type_name());
  const Deeper deeper(*this);
  const std::shared_ptr<Object> object = callee.object();
  return object->call(*this, args);
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
  if (!e.row) fail(Code::unsupported, "template: no filter named '%.60s'", e.text.c_str());
  step();
  return apply_row(*this, *e.row, value, args);
}

Value Interpreter::apply_filter(const Value& filter_name, const Value& input, Args& args) {
  const FunctionRow* row = filter_name.is_string() ? find_filter(filter_name.string()) : nullptr;
  if (!row) fail(Code::unsupported, "template: no filter named '%.60s'", filter_name.text().c_str());
  step(4);  // it was looked up
  return apply_row(*this, *row, input, args);
}

bool Interpreter::apply_test(const Value& test_name, const Value& input, Args& args) {
  const FunctionRow* row = test_name.is_string() ? find_test(test_name.string()) : nullptr;
  if (!row) fail(Code::unsupported, "template: no test named '%.60s'", test_name.text().c_str());
  step(4);
  return truth(apply_row(*this, *row, input, args));
}

}  // namespace loam::jinja
