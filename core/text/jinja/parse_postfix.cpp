// What follows a primary expression: attributes, subscripts, calls, filters, tests.
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
  while (!is_op("]")) {
    if (skip_op(":")) {
      if (++colons > 2) fail_here("']'");
      continue;
    }
    if (parts[colons]) fail_here("']'");
    parts[colons] = expression();
  }
  expect_op("]");
  if (colons) {
    return node(ExprKind::slice, "", std::move(e), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
  }
  if (!parts[0]) fail_here("a subscript");
  return node(ExprKind::subscript, "", std::move(e), std::move(parts[0]));
}

void Parser::arguments(Expr& into) {
  expect_op("(");
  while (!is_op(")")) {
    if (is_op("*") || is_op("**")) fail_line(peek().line, "calls with * or ** are not supported");
    if (peek().type == TokenType::name && is_op("=", 1)) {
      std::string name = expect_name("a name");
      expect_op("=");
      into.named.emplace_back(std::move(name), expression());
    } else {
      if (!into.named.empty()) fail_here("a named argument");
      into.args.push_back(expression());
    }
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

ExprPtr Parser::filter(ExprPtr e) {
  const Deeper deeper(*this);
  const std::string name = expect_name("a filter's name");
  ExprPtr result = node(ExprKind::filter, name, std::move(e));
  if (is_op("(")) arguments(*result);
  return result;
}

ExprPtr Parser::test(ExprPtr e) {
  const Deeper deeper(*this);
  const bool negated = skip_name("not");
  const std::string name = expect_name("a test's name");
  ExprPtr result = node(ExprKind::test, name, std::move(e));
  const TokenType next = peek().type;
  const bool value = next == TokenType::name || next == TokenType::string || next == TokenType::integer ||
                     next == TokenType::real || is_op("[") || is_op("{");
  const bool keyword = is_name("else") || is_name("or") || is_name("and") || is_name("is") || is_name("if");
  if (is_op("(")) {
    arguments(*result);
  } else if (value && !keyword) {
    result->args.push_back(postfix(primary()));
    update_depth(*result);
  }
  return negated ? node(ExprKind::unary, "not", std::move(result)) : std::move(result);
}

ExprPtr Parser::assign_target(bool with_tuple) {
  const auto one = [&]() -> ExprPtr {
    if (skip_op("(")) {
      ExprPtr inner = assign_target(true);
      expect_op(")");
      return inner;
    }
    return node(ExprKind::name, expect_name("a name to assign to"));
  };
  const Deeper deeper(*this);
  ExprPtr first = one();
  if (is_op(".") && first->kind == ExprKind::name) return attribute(std::move(first));
  if (!with_tuple || !is_op(",")) return first;
  std::vector<ExprPtr> items;
  items.push_back(std::move(first));
  while (skip_op(",") && (peek().type == TokenType::name || is_op("(")) && !is_name("in")) items.push_back(one());
  return make(ExprKind::tuple, "", std::move(items));
}

}  // namespace loam::jinja
