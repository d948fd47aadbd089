// The parser's cursor; expressions and statements are in files of their own.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/ast.h"
#include "core/text/jinja/lexer.h"

namespace loam::jinja {

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)) {}
  Body parse_template();
  static constexpr int kMostDepth = 150;

 private:
  // expressions
  ExprPtr expression();  // with inline if
  ExprPtr tuple_or_expression(bool with_condition = true, bool in_brackets = false);
  ExprPtr logic_or();
  ExprPtr logic_and();
  ExprPtr logic_not();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filter = true);
  ExprPtr primary();
  ExprPtr literal();
  ExprPtr list_literal();
  ExprPtr dict_literal();
  ExprPtr postfix(ExprPtr node);
  ExprPtr filters_and_tests(ExprPtr node);
  ExprPtr filter(ExprPtr node);
  ExprPtr test(ExprPtr node);
  ExprPtr attribute(ExprPtr node);
  ExprPtr subscript(ExprPtr node);
  ExprPtr call(ExprPtr node);
  void arguments(Expr& into);  // "(" is next
  ExprPtr assign_target(bool with_namespace = false);
  ExprPtr one_target(bool with_namespace);
  std::string target_name();
  bool tuple_ends() const;
  void argument(Expr& into);

  // statements
  Body body(std::initializer_list<std::string_view> ends);  // stops before the name of an end tag
  std::unique_ptr<Stmt> statement();
  std::unique_ptr<Stmt> parse_if();
  std::unique_ptr<Stmt> parse_for();
  std::unique_ptr<Stmt> parse_set();
  std::unique_ptr<Stmt> parse_macro();
  std::unique_ptr<Stmt> parse_call();
  std::unique_ptr<Stmt> parse_filter();
  std::unique_ptr<Stmt> parse_with();
  std::unique_ptr<Stmt> parse_generation();
  std::unique_ptr<Stmt> parse_block();
  std::unique_ptr<Stmt> parse_autoescape();
  std::unique_ptr<Stmt> parse_print();
  std::unique_ptr<Stmt> parse_refused();
  std::unique_ptr<Stmt> parse_loop_control();
  void parameters(Stmt& into);                                 // "(" is next
  Body body_to(std::initializer_list<std::string_view> ends);  // "%} ..."; stops before the name of an end tag
  void body_of(Stmt& into, std::string_view end);              // "%} ... {% end"
  std::unique_ptr<Stmt> make_stmt(StmtKind kind) const;

  // cursor
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool is_op(std::string_view op, size_t ahead = 0) const {
    return peek(ahead).type == TokenType::op && peek(ahead).text == op;
  }
  bool is_name(std::string_view name, size_t ahead = 0) const {
    return peek(ahead).type == TokenType::name && peek(ahead).text == name;
  }
  bool skip_op(std::string_view op) { return is_op(op) && ++at_; }
  bool skip_name(std::string_view name) { return is_name(name) && ++at_; }
  void expect_op(std::string_view op);
  void expect(TokenType type, const char* what);
  std::string expect_name(const char* what);
  [[noreturn]] void fail_here(const char* wanted) const;
  // A node with its depth checked.
  ExprPtr make(ExprKind kind, std::string text, std::vector<ExprPtr> args) const;
  template <class... Args>
  ExprPtr node(ExprKind kind, std::string text, Args... args) const {
    std::vector<ExprPtr> list;
    (list.push_back(std::move(args)), ...);
    return make(kind, std::move(text), std::move(list));
  }
  ExprPtr operation(ExprKind kind, Op op, ExprPtr left, ExprPtr right = nullptr) const;
  static void update_depth(Expr& e);

  struct Deeper {  // bounds recursion
    explicit Deeper(Parser& parser);
    ~Deeper() { --p.depth_; }
    Parser& p;
  };

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace loam::jinja
