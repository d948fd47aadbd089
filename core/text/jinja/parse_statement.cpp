// Statements.
#include "core/error.h"
#include "core/text/jinja/parser.h"

namespace loam::jinja {
namespace {

// Of a loop's target, which is assigned in the loop and in the function of its condition.
ExprPtr copy_target(const Expr& e) {
  auto copy = std::make_unique<Expr>();
  copy->kind = e.kind;
  copy->line = e.line;
  copy->text = e.text;
  for (const ExprPtr& a : e.args) copy->args.push_back(copy_target(*a));
  return copy;
}

}  // namespace

std::unique_ptr<Stmt> Parser::make_stmt(StmtKind kind) const {
  auto s = std::make_unique<Stmt>();
  s->kind = kind;
  s->line = peek().line;
  return s;
}

Body Parser::parse_template() {
  Body all = body({});
  if (peek().type != TokenType::end) fail_here("the end of the template");
  return all;
}

Body Parser::body(std::initializer_list<std::string_view> ends) {
  const Deeper deeper(*this);
  Body out;
  while (peek().type != TokenType::end) {
    if (peek().type == TokenType::data) {
      out.push_back(make_stmt(StmtKind::data));
      out.back()->text = std::move(tokens_[at_++].text);
    } else if (peek().type == TokenType::variable_begin) {
      ++at_;
      out.push_back(make_stmt(StmtKind::output));
      out.back()->exprs.push_back(tuple_or_expression());
      expect(TokenType::variable_end, "'}}'");
    } else {
      expect(TokenType::block_begin, "'{%'");
      for (const std::string_view end : ends) {
        if (is_name(end)) return out;
      }
      out.push_back(statement());
      expect(TokenType::block_end, "'%}'");
    }
  }
  if (ends.size()) fail_line(peek().line, "'{%% %s %%}' is missing at the end", std::string(*(ends.end() - 1)).c_str());
  return out;
}

std::unique_ptr<Stmt> Parser::statement() {
  struct Row {
    const char* name;
    std::unique_ptr<Stmt> (Parser::*parse)();
  };
  static constexpr Row kRows[] = {
      {"if", &Parser::parse_if},
      {"for", &Parser::parse_for},
      {"set", &Parser::parse_set},
      {"macro", &Parser::parse_macro},
      {"call", &Parser::parse_call},
      {"filter", &Parser::parse_filter},
      {"with", &Parser::parse_with},
      {"generation", &Parser::parse_generation},
      {"block", &Parser::parse_block},
      {"autoescape", &Parser::parse_autoescape},
      {"print", &Parser::parse_print},
      {"break", &Parser::parse_loop_control},
      {"continue", &Parser::parse_loop_control},
      {"include", &Parser::parse_refused},
      {"import", &Parser::parse_refused},
      {"from", &Parser::parse_refused},
      {"extends", &Parser::parse_refused},
  };
  const int line = peek().line;
  if (peek().type != TokenType::name) fail_here("the name of a statement");
  for (const Row& row : kRows) {
    if (is_name(row.name)) {
      auto s = (this->*row.parse)();
      s->line = line;
      return s;
    }
  }
  fail_line(line, "the statement '%s' is unknown", peek().text.substr(0, 60).c_str());
}

std::unique_ptr<Stmt> Parser::parse_refused() {
  fail_line(peek().line, "'%s' is not supported: a chat template is one text", peek().text.c_str());
}

Body Parser::body_to(std::initializer_list<std::string_view> ends) {
  skip_op(":");  // as Python writes it
  expect(TokenType::block_end, "'%}'");
  return body(ends);
}

void Parser::body_of(Stmt& into, std::string_view end) {
  into.bodies.push_back(body_to({end}));
  ++at_;  // the name of the end tag, where body_to stopped
}

std::unique_ptr<Stmt> Parser::parse_if() {
  auto s = make_stmt(StmtKind::branch);
  while (skip_name("if") || skip_name("elif")) {
    s->exprs.push_back(tuple_or_expression(false));
    s->bodies.push_back(body_to({"elif", "else", "endif"}));
    if (is_name("if")) fail_here("'endif'");
  }
  if (skip_name("else")) s->bodies.push_back(body_to({"endif"}));
  ++at_;
  return s;
}

std::unique_ptr<Stmt> Parser::parse_for() {
  auto s = make_stmt(StmtKind::loop);
  ++at_;
  s->exprs.push_back(assign_target());
  if (!skip_name("in")) fail_here("'in'");
  s->exprs.push_back(tuple_or_expression(false));
  s->exprs.push_back(skip_name("if") ? expression() : nullptr);
  s->exprs.push_back(s->exprs[2] ? copy_target(*s->exprs[0]) : nullptr);
  s->recursive = skip_name("recursive");
  s->bodies.push_back(body_to({"else", "endfor"}));
  s->bodies.emplace_back();
  if (skip_name("else")) s->bodies.back() = body_to({"endfor"});
  ++at_;
  return s;
}

std::unique_ptr<Stmt> Parser::parse_set() {
  auto s = make_stmt(StmtKind::set);
  ++at_;
  s->exprs.push_back(assign_target(true));
  if (skip_op("=")) {
    s->exprs.push_back(tuple_or_expression());
    return s;
  }
  s->kind = StmtKind::set_block;
  ExprPtr filtered;
  while (skip_op("|")) filtered = filter(std::move(filtered));
  if (is_op("(") || is_name("is")) fail_here("'%}'");
  s->exprs.push_back(std::move(filtered));
  body_of(*s, "endset");
  return s;
}

void Parser::parameters(Stmt& into) {
  expect_op("(");
  while (!is_op(")")) {
    if (!into.parameters.empty()) expect_op(",");
    std::string name = target_name();
    for (const Parameter& p : into.parameters) {
      if (p.name == name) fail_line(peek().line, "two parameters are named '%s'", name.c_str());
    }
    ExprPtr otherwise = skip_op("=") ? expression() : nullptr;
    if (!otherwise && !into.parameters.empty() && into.parameters.back().otherwise) fail_here("a default");
    into.parameters.push_back({std::move(name), {}, std::move(otherwise)});
  }
  expect_op(")");
}

std::unique_ptr<Stmt> Parser::parse_macro() {
  auto s = make_stmt(StmtKind::macro);
  ++at_;
  s->text = target_name();
  s->exprs.push_back(node(ExprKind::name, s->text));
  parameters(*s);
  body_of(*s, "endmacro");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_call() {
  auto s = make_stmt(StmtKind::call);
  ++at_;
  if (is_op("(")) parameters(*s);
  s->exprs.push_back(expression());
  if (s->exprs[0]->kind != ExprKind::call) fail_here("a call");
  body_of(*s, "endcall");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_filter() {
  auto s = make_stmt(StmtKind::filter);
  ++at_;
  ExprPtr chain = filter(nullptr);
  while (skip_op("|")) chain = filter(std::move(chain));
  s->exprs.push_back(std::move(chain));
  body_of(*s, "endfilter");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_with() {
  auto s = make_stmt(StmtKind::with);
  ++at_;
  while (peek().type != TokenType::block_end) {
    if (!s->exprs.empty()) expect_op(",");
    s->exprs.push_back(assign_target());
    expect_op("=");
    s->exprs.push_back(expression());
  }
  body_of(*s, "endwith");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_generation() {
  auto s = make_stmt(StmtKind::call);
  ++at_;
  s->exprs.push_back(nullptr);
  body_of(*s, "endgeneration");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_block() {
  auto s = make_stmt(StmtKind::block);
  ++at_;
  s->text = expect_name("the block's name");
  s->scoped = skip_name("scoped");
  if (is_name("required")) fail_line(peek().line, "'required' is not supported: a chat template is one text");
  body_of(*s, "endblock");
  skip_name(s->text);
  return s;
}

std::unique_ptr<Stmt> Parser::parse_autoescape() {
  auto s = make_stmt(StmtKind::scope);
  ++at_;
  const ExprPtr on = expression();
  if (on->kind != ExprKind::constant || !on->value.is_bool() || equal(on->value, Value(true))) {
    fail_line(peek().line, "'autoescape' can only be false");
  }
  body_of(*s, "endautoescape");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_print() {
  auto s = make_stmt(StmtKind::output);
  ++at_;
  while (peek().type != TokenType::block_end) {
    if (!s->exprs.empty()) expect_op(",");
    s->exprs.push_back(expression());
  }
  return s;
}

std::unique_ptr<Stmt> Parser::parse_loop_control() {
  auto s = make_stmt(is_name("break") ? StmtKind::stop : StmtKind::next);
  ++at_;
  return s;
}

Template parse(std::string_view source) {
  Template t;
  t.body = Parser(source).parse_template();
  resolve_names(t);
  return t;
}

}  // namespace loam::jinja
