// Expressions, from the weakest binding operator to the strongest.
#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/parser.h"

namespace loam::jinja {
namespace {
constexpr int kMostDepth = 150;
}

void Parser::fail_here(const char* wanted) const {
  const Token& t = peek();
  constexpr const char* kNames[] = {
      "text", "'{{'", "'}}'", "'{%'", "'%}'", "", "", "", "", "", "the end of the template"};
  const std::string found = t.text.empty() ? kNames[size_t(t.type)] : "'" + t.text.substr(0, 60) + "'";
  fail_line(t.line, "expected %s, found %s", wanted, found.c_str());
}

void Parser::expect_op(std::string_view op) {
  if (!skip_op(op)) fail_here(("'" + std::string(op) + "'").c_str());
}
void Parser::expect(TokenType type, const char* what) {
  if (peek().type != type) fail_here(what);
  ++at_;
}
std::string Parser::expect_name(const char* what) {
  if (peek().type != TokenType::name) fail_here(what);
  return tokens_[at_++].text;
}

Parser::Deeper::Deeper(Parser& parser) : p(parser) {
  if (++p.depth_ > kMostDepth) fail_line(p.peek().line, "nested deeper than %d levels", kMostDepth);
}

void Parser::update_depth(Expr& e) {
  for (const ExprPtr& a : e.args) e.depth = std::max(e.depth, a ? a->depth + 1 : 0);
  for (const auto& n : e.named) e.depth = std::max(e.depth, n.second->depth + 1);
  if (e.depth > kMostDepth) fail_line(e.line, "an expression is nested deeper than %d levels", kMostDepth);
}

ExprPtr Parser::make(ExprKind kind, std::string text, std::vector<ExprPtr> args) const {
  auto e = std::make_unique<Expr>();
  e->kind = kind;
  e->line = peek().line;
  e->text = std::move(text);
  e->args = std::move(args);
  update_depth(*e);
  return e;
}

ExprPtr Parser::expression() {
  const Deeper deeper(*this);
  ExprPtr node_ = logic_or();
  while (skip_name("if")) {
    ExprPtr condition = logic_or(), otherwise;
    if (skip_name("else")) otherwise = expression();
    node_ = node(ExprKind::conditional, "", std::move(node_), std::move(condition), std::move(otherwise));
  }
  return node_;
}

// What ends a tuple without brackets.
ExprPtr Parser::tuple_or_expression(bool with_condition) {
  const auto item = [&] { return with_condition ? expression() : logic_or(); };
  const auto ends = [&] {
    return peek().type == TokenType::variable_end || peek().type == TokenType::block_end || is_op(")") || is_name("in");
  };
  ExprPtr first = item();
  if (!is_op(",")) return first;
  std::vector<ExprPtr> items;
  items.push_back(std::move(first));
  while (skip_op(",") && !ends()) items.push_back(item());
  return make(ExprKind::tuple, "", std::move(items));
}

ExprPtr Parser::logic_or() {
  ExprPtr left = logic_and();
  while (skip_name("or")) left = node(ExprKind::logic, "or", std::move(left), logic_and());
  return left;
}

ExprPtr Parser::logic_and() {
  ExprPtr left = logic_not();
  while (skip_name("and")) left = node(ExprKind::logic, "and", std::move(left), logic_not());
  return left;
}

ExprPtr Parser::logic_not() {
  const Deeper deeper(*this);
  if (skip_name("not")) return node(ExprKind::unary, "not", logic_not());
  return comparison();
}

ExprPtr Parser::comparison() {
  std::vector<ExprPtr> args;
  std::vector<std::string> ops;
  args.push_back(sum());
  while (true) {
    constexpr std::string_view kOps[] = {"==", "!=", "<", "<=", ">", ">="};
    const bool symbol =
        peek().type == TokenType::op && std::find(std::begin(kOps), std::end(kOps), peek().text) != std::end(kOps);
    if (symbol)
      ops.push_back(tokens_[at_++].text);
    else if (skip_name("in"))
      ops.push_back("in");
    else if (is_name("not") && is_name("in", 1)) {
      at_ += 2;
      ops.push_back("not in");
    } else {
      break;
    }
    args.push_back(sum());
  }
  if (ops.empty()) return std::move(args[0]);
  ExprPtr e = make(ExprKind::compare, "", std::move(args));
  e->ops = std::move(ops);
  return e;
}

ExprPtr Parser::sum() {
  ExprPtr left = concatenation();
  while (is_op("+") || is_op("-")) {
    const std::string op = tokens_[at_++].text;
    left = node(ExprKind::binary, op, std::move(left), concatenation());
  }
  return left;
}

ExprPtr Parser::concatenation() {
  ExprPtr left = product();
  while (skip_op("~")) left = node(ExprKind::binary, "~", std::move(left), product());
  return left;
}

ExprPtr Parser::product() {
  ExprPtr left = power();
  while (is_op("*") || is_op("/") || is_op("//") || is_op("%")) {
    const std::string op = tokens_[at_++].text;
    left = node(ExprKind::binary, op, std::move(left), power());
  }
  return left;
}

ExprPtr Parser::power() {
  ExprPtr left = unary();
  while (skip_op("**")) left = node(ExprKind::binary, "**", std::move(left), unary());
  return left;
}

ExprPtr Parser::unary(bool with_filter) {
  const Deeper deeper(*this);
  ExprPtr e;
  if (skip_op("-"))
    e = node(ExprKind::unary, "-", unary(false));
  else if (skip_op("+"))
    e = node(ExprKind::unary, "+", unary(false));
  else
    e = primary();
  e = postfix(std::move(e));
  return with_filter ? filters_and_tests(std::move(e)) : std::move(e);
}

ExprPtr Parser::literal() {
  const Token t = tokens_[at_++];
  ExprPtr e = node(ExprKind::constant, "");
  if (t.type == TokenType::string) {
    std::string text = t.text;
    while (peek().type == TokenType::string) text += tokens_[at_++].text;
    e->value = text;
  } else if (t.type == TokenType::integer) {
    if (t.text.size() > 18) fail_line(t.line, "the number %s is too large", t.text.substr(0, 40).c_str());
    e->value = int64_t(std::atoll(t.text.c_str()));
  } else {
    e->value = std::strtod(t.text.c_str(), nullptr);
  }
  return e;
}

ExprPtr Parser::primary() {
  const Token& t = peek();
  if (t.type == TokenType::string || t.type == TokenType::integer || t.type == TokenType::real) return literal();
  if (t.type == TokenType::name) {
    const std::string name = tokens_[at_++].text;
    const auto constant = [&](Value v) {
      ExprPtr e = node(ExprKind::constant, "");
      e->value = std::move(v);
      return e;
    };
    if (name == "true" || name == "True") return constant(true);
    if (name == "false" || name == "False") return constant(false);
    if (name == "none" || name == "None") return constant(None{});
    return node(ExprKind::name, name);
  }
  if (skip_op("(")) {
    if (skip_op(")")) return node(ExprKind::tuple, "");
    ExprPtr inner = tuple_or_expression();
    expect_op(")");
    return inner;
  }
  if (is_op("[")) return list_literal();
  if (is_op("{")) return dict_literal();
  fail_here("an expression");
}

ExprPtr Parser::list_literal() {
  expect_op("[");
  std::vector<ExprPtr> items;
  while (!is_op("]")) {
    if (!items.empty()) {
      expect_op(",");
      if (is_op("]")) break;
    }
    items.push_back(expression());
  }
  expect_op("]");
  return make(ExprKind::list, "", std::move(items));
}

ExprPtr Parser::dict_literal() {
  expect_op("{");
  std::vector<ExprPtr> items;
  while (!is_op("}")) {
    if (!items.empty()) {
      expect_op(",");
      if (is_op("}")) break;
    }
    items.push_back(expression());
    expect_op(":");
    items.push_back(expression());
  }
  expect_op("}");
  return make(ExprKind::dict, "", std::move(items));
}

}  // namespace loam::jinja
