// The tree of a parsed template.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/value.h"

namespace loam::jinja {

enum class ExprKind : uint8_t {
  constant,     // value
  name,         // text
  list,         // args
  tuple,        // args
  dict,         // args: key, value, key, value
  attribute,    // args[0].text
  subscript,    // args[0][args[1]]
  slice,        // args[0][args[1]:args[2]:args[3]]; parts may be null
  call,         // args[0](args[1..], named)
  filter,       // args[0] | text(args[1..], named); args[0] null in {% filter %}
  test,         // args[0] is text(args[1..])
  unary,        // text: not - +
  binary,       // text: + - * / // % ** ~
  logic,        // text: and or
  compare,      // args[0] ops[0] args[1] ops[1] ...
  conditional,  // args: then, condition, otherwise (may be null)
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind;
  int line;
  std::string text;
  Value value;
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> named;
  std::vector<std::string> ops;
  int depth = 1;  // of the tree below
};

enum class StmtKind : uint8_t {
  data,       // text
  output,     // expr
  branch,     // if: conditions exprs[i] with bodies[i]; a last body without condition is the else
  loop,       // for: target exprs[0], items exprs[1], condition exprs[2] (may be null); bodies: loop, else
  set,        // target exprs[0] = exprs[1]
  set_block,  // target exprs[0] = bodies[0], through the filter exprs[1] (may be null)
  macro,      // text, parameters with defaults, bodies[0]
  call,       // {% call(parameters) exprs[0] %} bodies[0]
  filter,     // exprs[0] applied to bodies[0]
  with,       // targets exprs[2i] = exprs[2i+1], bodies[0]
  block,      // bodies[0]: generation, which marks the answer and prints as it is
  stop,       // break
  next,       // continue
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct Stmt {
  StmtKind kind;
  int line;
  std::string text;
  std::vector<ExprPtr> exprs;
  std::vector<Body> bodies;
  std::vector<std::pair<std::string, ExprPtr>> parameters;  // of macro and call; null: no default
  bool recursive = false;
};

// Fails with the line and the construct that is not understood.
Body parse(std::string_view source);

}  // namespace loam::jinja
