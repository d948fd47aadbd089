// Statements.
#include "core/text/jinja/parser.h"

namespace loam::jinja {

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
      out.back()->text = tokens_[at_++].text;
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
      {"break", &Parser::parse_loop_control},
      {"continue", &Parser::parse_loop_control},
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
  fail_line(line, "the statement '%s' is not supported", peek().text.c_str());
}

void Parser::end_block(std::string_view name) {
  if (!skip_name(name)) fail_here(std::string(name).c_str());
  expect(TokenType::block_end, "'%}'");
}

std::unique_ptr<Stmt> Parser::parse_if() {
  auto s = make_stmt(StmtKind::branch);
  while (skip_name("if") || skip_name("elif")) {
    s->exprs.push_back(tuple_or_expression(false));
    expect(TokenType::block_end, "'%}'");
    s->bodies.push_back(body({"elif", "else", "endif"}));
  }
  if (skip_name("else")) {
    expect(TokenType::block_end, "'%}'");
    s->bodies.push_back(body({"endif"}));
  }
  end_block("endif");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_for() {
  auto s = make_stmt(StmtKind::loop);
  ++at_;
  s->exprs.push_back(assign_target(true));
  if (!skip_name("in")) fail_here("'in'");
  s->exprs.push_back(tuple_or_expression(false));
  s->exprs.push_back(skip_name("if") ? expression() : nullptr);
  s->recursive = skip_name("recursive");
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"else", "endfor"}));
  s->bodies.emplace_back();
  if (skip_name("else")) {
    expect(TokenType::block_end, "'%}'");
    s->bodies.back() = body({"endfor"});
  }
  end_block("endfor");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_set() {
  auto s = make_stmt(StmtKind::set);
  ++at_;
  s->exprs.push_back(assign_target(true));
  if (skip_op("=")) {
    s->exprs.push_back(tuple_or_expression());
    expect(TokenType::block_end, "'%}'");
    return s;
  }
  s->kind = StmtKind::set_block;
  ExprPtr filtered;
  while (skip_op("|")) filtered = filter(std::move(filtered));
  s->exprs.push_back(std::move(filtered));
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endset"}));
  end_block("endset");
  return s;
}

void Parser::parameters(Stmt& into) {
  expect_op("(");
  while (!is_op(")")) {
    std::string name = expect_name("a parameter");
    ExprPtr otherwise = skip_op("=") ? expression() : nullptr;
    if (!otherwise && !into.parameters.empty() && into.parameters.back().second) fail_here("a default");
    into.parameters.emplace_back(std::move(name), std::move(otherwise));
    if (!is_op(")")) expect_op(",");
  }
  expect_op(")");
}

std::unique_ptr<Stmt> Parser::parse_macro() {
  auto s = make_stmt(StmtKind::macro);
  ++at_;
  s->text = expect_name("the macro's name");
  parameters(*s);
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endmacro"}));
  skip_name("endmacro");
  if (peek().type == TokenType::name) ++at_;  // the name may be repeated
  expect(TokenType::block_end, "'%}'");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_call() {
  auto s = make_stmt(StmtKind::call);
  ++at_;
  if (is_op("(")) parameters(*s);
  s->exprs.push_back(expression());
  if (s->exprs[0]->kind != ExprKind::call) fail_here("a call");
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endcall"}));
  end_block("endcall");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_filter() {
  auto s = make_stmt(StmtKind::filter);
  ++at_;
  ExprPtr chain = filter(nullptr);
  while (skip_op("|")) chain = filter(std::move(chain));
  s->exprs.push_back(std::move(chain));
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endfilter"}));
  end_block("endfilter");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_with() {
  auto s = make_stmt(StmtKind::with);
  ++at_;
  while (peek().type != TokenType::block_end) {
    if (!s->exprs.empty()) expect_op(",");
    s->exprs.push_back(assign_target(false));
    expect_op("=");
    s->exprs.push_back(expression());
  }
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endwith"}));
  end_block("endwith");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_generation() {
  auto s = make_stmt(StmtKind::block);
  ++at_;
  expect(TokenType::block_end, "'%}'");
  s->bodies.push_back(body({"endgeneration"}));
  end_block("endgeneration");
  return s;
}

std::unique_ptr<Stmt> Parser::parse_loop_control() {
  auto s = make_stmt(is_name("break") ? StmtKind::stop : StmtKind::next);
  ++at_;
  expect(TokenType::block_end, "'%}'");
  return s;
}

Body parse(std::string_view source) { return Parser(source).parse_template(); }

}  // namespace loam::jinja
