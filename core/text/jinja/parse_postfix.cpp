// What follows a primary expression: attributes, subscripts, calls, filters, tests.
#include "core/text/jinja/functions.h"
#include "core/text/jinja/parser.h"

namespace loam::jinja {

ExprPtr Parser::postfix(ExprPtr e) {
  while (true) {
    if (is_op("."))
      e = attribute(std::move(e));
    else if (is_op("["))
      e = subscript(std::move(e));
    else if (is_op("("))
      e = call(std::move(e));
    else
      return e;
  }
}

ExprPtr Parser::filters_and_tests(ExprPtr e) {
  while (true) {
    if (skip_op("|"))
      e = filter(std::move(e));
    else if (skip_name("is"))
      e = test(std::move(e));
    else if (is_op("("))
      e = call(std::move(e));
    else
      return e;
  }
}

ExprPtr Parser::attribute(ExprPtr e) {
  expect_op(".");
  if (peek().type == TokenType::integer) {
    ExprPtr index = literal();
    return node(ExprKind::subscript, "", std::move(e), std::move(index));
  }
  return node(ExprKind::attribute, expect_name("an attribute's name"), std::move(e));
}

ExprPtr Parser::subscript(ExprPtr e) {
  expect_op("[");
  ExprPtr parts[3];
  int colons = 0;
  std::vector<ExprPtr> items;  // x[a, b]
  while (!is_op("]")) {
    if (skip_op(":")) {
      if (++colons > 2 || !items.empty()) fail_here("']'");
    } else if (is_op(",") && !colons && parts[0]) {
      ++at_;
      items.push_back(std::move(parts[0]));
    } else {
      if (parts[colons]) fail_here("']'");
      parts[colons] = expression();
    }
  }
  expect_op("]");
  if (colons) {
    return node(ExprKind::slice, "", std::move(e), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
  }
  if (!parts[0] || !items.empty()) {
    if (parts[0]) items.push_back(std::move(parts[0]));
    parts[0] = make(ExprKind::tuple, "", std::move(items));
  }
  return node(ExprKind::subscript, "", std::move(e), std::move(parts[0]));
}

void Parser::argument(Expr& into) {
  if (skip_op("*")) {
    if (into.all || into.all_named) fail_here("one * argument before all ** arguments");
    into.all = expression();
  } else if (skip_op("**")) {
    if (into.all_named) fail_here("one ** argument");
    into.all_named = expression();
  } else if (peek().type == TokenType::name && is_op("=", 1)) {
    std::string name = expect_name("a name");
    expect_op("=");
    if (into.all_named) fail_here("a named argument before **");
    for (const auto& n : into.named) {
      if (n.first == name) fail_line(peek().line, "the argument '%s' is given twice", name.c_str());
    }
    into.named.emplace_back(std::move(name), expression());
  } else {
    if (!into.named.empty() || into.all || into.all_named) fail_here("a named argument");
    into.args.push_back(expression());
  }
}

void Parser::arguments(Expr& into) {
  expect_op("(");
  while (!is_op(")")) {
    argument(into);
    if (!is_op(")")) expect_op(",");
  }
  expect_op(")");
  update_depth(into);
}

ExprPtr Parser::call(ExprPtr e) {
  const Deeper deeper(*this);
  ExprPtr result = node(ExprKind::call, "", std::move(e));
  arguments(*result);
  return result;
}

// The names of filters and tests may have dots.
static std::string dotted(const std::string& name, std::string next) { return name + "." + std::move(next); }

ExprPtr Parser::filter(ExprPtr e) {
  const Deeper deeper(*this);
  std::string name = expect_name("a filter's name");
  while (skip_op(".")) name = dotted(name, expect_name("a filter's name"));
  ExprPtr result = node(ExprKind::filter, name, std::move(e));
  result->row = find_filter(name);
  if (is_op("(")) arguments(*result);
  return result;
}

ExprPtr Parser::test(ExprPtr e) {
  const Deeper deeper(*this);
  const bool negated = skip_name("not");
  std::string name = expect_name("a test's name");
  while (skip_op(".")) name = dotted(name, expect_name("a test's name"));
  ExprPtr result = node(ExprKind::test, name, std::move(e));
  result->row = find_test(name);
  const TokenType next = peek().type;
  const bool value = next == TokenType::name || next == TokenType::string || next == TokenType::integer ||
                     next == TokenType::real || is_op("[") || is_op("{");
  if (is_op("(")) {
    arguments(*result);
  } else if (value && !is_name("else") && !is_name("or") && !is_name("and")) {
    if (is_name("is")) fail_here("no second test");
    result->args.push_back(postfix(primary()));
    update_depth(*result);
  }
  return negated ? operation(ExprKind::unary, Op::negate, std::move(result)) : std::move(result);
}

std::string Parser::target_name() {
  std::string name = expect_name("a name to assign to");
  for (const char* constant : {"true", "false", "none", "True", "False", "None"}) {
    if (name == constant) fail_line(peek().line, "'%s' cannot be assigned to", constant);
  }
  return name;
}

ExprPtr Parser::one_target(bool with_namespace) {
  const Deeper deeper(*this);
  if (skip_op("(")) {
    ExprPtr inner = is_op(")") ? make(ExprKind::tuple, "", {}) : assign_target();
    expect_op(")");
    return inner;
  }
  ExprPtr name = node(ExprKind::name, target_name());
  return with_namespace && is_op(".") ? attribute(std::move(name)) : std::move(name);
}

ExprPtr Parser::assign_target(bool with_namespace) {
  ExprPtr first = one_target(with_namespace);
  if (!is_op(",")) return first;
  std::vector<ExprPtr> items;
  items.push_back(std::move(first));
  while (skip_op(",") && !tuple_ends()) items.push_back(one_target(with_namespace));
  return make(ExprKind::tuple, "", std::move(items));
}

}  // namespace loam::jinja
