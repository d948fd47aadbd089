// Expressions, from the weakest binding operator to the strongest.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/parser.h"

namespace loam::jinja {
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
  for (const ExprPtr* a : {&e.all, &e.all_named}) e.depth = std::max(e.depth, *a ? (*a)->depth + 1 : 0);
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

ExprPtr Parser::operation(ExprKind kind, Op op, ExprPtr left, ExprPtr right) const {
  ExprPtr e = right ? node(kind, "", std::move(left), std::move(right)) : node(kind, "", std::move(left));
  e->op = op;
  return e;
}

ExprPtr Parser::expression() {
  const Deeper deeper(*this);
  ExprPtr e = logic_or();
  while (skip_name("if")) {
    ExprPtr condition = logic_or(), otherwise;
    if (skip_name("else")) otherwise = expression();
    e = node(ExprKind::conditional, "", std::move(e), std::move(condition), std::move(otherwise));
  }
  return e;
}

bool Parser::tuple_ends() const {
  return peek().type == TokenType::variable_end || peek().type == TokenType::block_end || is_op(")");
}

ExprPtr Parser::tuple_or_expression(bool with_condition, bool in_brackets) {
  std::vector<ExprPtr> items;
  bool tuple = false;
  while (true) {
    if (!items.empty() && !skip_op(",")) fail_here("','");
    if (tuple_ends()) break;
    items.push_back(with_condition ? expression() : logic_or());
    if (!is_op(",")) break;
    tuple = true;
  }
  if (!tuple && !items.empty()) return std::move(items[0]);
  if (!tuple && !in_brackets) fail_here("an expression");
  return make(ExprKind::tuple, "", std::move(items));
}

ExprPtr Parser::logic_or() {
  ExprPtr left = logic_and();
  while (skip_name("or")) left = operation(ExprKind::logic, Op::either, std::move(left), logic_and());
  return left;
}

ExprPtr Parser::logic_and() {
  ExprPtr left = logic_not();
  while (skip_name("and")) left = operation(ExprKind::logic, Op::both, std::move(left), logic_not());
  return left;
}

ExprPtr Parser::logic_not() {
  const Deeper deeper(*this);
  if (skip_name("not")) return operation(ExprKind::unary, Op::negate, logic_not());
  return comparison();
}

namespace {
struct OpRow {
  std::string_view text;
  Op op;
};
constexpr OpRow kComparisons[] = {{"==", Op::eq}, {"!=", Op::ne}, {"<", Op::lt},
                                  {"<=", Op::le}, {">", Op::gt},  {">=", Op::ge}};
constexpr OpRow kSums[] = {{"+", Op::add}, {"-", Op::sub}};
constexpr OpRow kProducts[] = {{"*", Op::mul}, {"/", Op::div}, {"//", Op::floor_div}, {"%", Op::mod}};

template <size_t n>
Op find_op(const OpRow (&rows)[n], const Token& t) {
  for (const OpRow& row : rows) {
    if (t.type == TokenType::op && t.text == row.text) return row.op;
  }
  return Op::none;
}
}  // namespace

ExprPtr Parser::comparison() {
  std::vector<ExprPtr> args;
  std::vector<Op> ops;
  args.push_back(sum());
  while (true) {
    if (const Op op = find_op(kComparisons, peek()); op != Op::none) {
      ++at_;
      ops.push_back(op);
    } else if (skip_name("in")) {
      ops.push_back(Op::in);
    } else if (is_name("not") && is_name("in", 1)) {
      at_ += 2;
      ops.push_back(Op::not_in);
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
  for (Op op; (op = find_op(kSums, peek())) != Op::none;) {
    ++at_;
    left = operation(ExprKind::binary, op, std::move(left), concatenation());
  }
  return left;
}

ExprPtr Parser::concatenation() {
  std::vector<ExprPtr> parts;
  parts.push_back(product());
  while (skip_op("~")) parts.push_back(product());
  return parts.size() == 1 ? std::move(parts[0]) : make(ExprKind::concat, "", std::move(parts));
}

ExprPtr Parser::product() {
  ExprPtr left = power();
  for (Op op; (op = find_op(kProducts, peek())) != Op::none;) {
    ++at_;
    left = operation(ExprKind::binary, op, std::move(left), power());
  }
  return left;
}

ExprPtr Parser::power() {
  ExprPtr left = unary();
  while (skip_op("**")) left = operation(ExprKind::binary, Op::pow, std::move(left), unary());
  return left;
}

ExprPtr Parser::unary(bool with_filter) {
  const Deeper deeper(*this);
  ExprPtr e;
  if (skip_op("-"))
    e = operation(ExprKind::unary, Op::minus, unary(false));
  else if (skip_op("+"))
    e = operation(ExprKind::unary, Op::plus, unary(false));
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
    errno = 0;
    e->value = int64_t(std::strtoll(t.text.c_str(), nullptr, 10));
    if (errno) fail_line(t.line, "the number %s is too large", t.text.substr(0, 40).c_str());
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
    ExprPtr inner = tuple_or_expression(true, true);
    expect_op(")");
    return inner;
  }
  if (is_op("[")) return list_literal();
  if (is_op("{")) return dict_literal();
  fail_here("an expression");
}

bool is_constant(const Expr& e) {
  const bool called = e.kind == ExprKind::filter || e.kind == ExprKind::test;
  if (e.kind == ExprKind::name || e.kind == ExprKind::call || e.all || e.all_named) return false;
  if (called && (!e.row || !e.args[0])) return false;
  for (const char* late : {"map", "select", "reject", "selectattr", "rejectattr", "random"}) {
    if (called && e.text == late) return false;
  }
  return std::all_of(e.args.begin(), e.args.end(), [](const ExprPtr& a) { return !a || is_constant(*a); }) &&
         std::all_of(e.named.begin(), e.named.end(), [](const auto& n) { return is_constant(*n.second); });
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
