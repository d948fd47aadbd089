// The tree of a parsed template.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/value.h"

namespace loam::jinja {

struct FunctionRow;

enum class ExprKind : uint8_t {
  constant,     // value
  name,         // text, slot
  list,         // args
  tuple,        // args
  dict,         // args: key, value, key, value
  attribute,    // args[0].text
  subscript,    // args[0][args[1]]
  slice,        // args[0][args[1]:args[2]:args[3]]; parts may be null
  call,         // args[0](args[1..], named)
  filter,       // args[0] | text(args[1..], named); args[0] null: the captured text
  test,         // args[0] is text(args[1..])
  unary,        // op: not - +
  binary,       // op: + - * / // % **
  concat,       // args joined as texts
  logic,        // op: and or
  compare,      // args[0] ops[0] args[1] ops[1] ...
  conditional,  // args: then, condition, otherwise (may be null)
};

enum class Op : uint8_t {
  none,
  add,
  sub,
  mul,
  div,
  floor_div,
  mod,
  pow,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  in,
  not_in,
  both,
  either,
  negate,
  minus,
  plus
};

// A variable: the functions outwards from the running one, and its place there.
struct Slot {
  int hops = 0, index = -1;
};

struct Expr;
bool is_constant(const Expr& e);  // whether Jinja works it out before running
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind;
  Op op = Op::none;
  int line;
  int depth = 1;  // of the tree below
  Slot slot;
  std::string text;
  Value value;
  const FunctionRow* row = nullptr;  // of filters and tests; null: there is none of that name
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> named;
  std::vector<Op> ops;
  ExprPtr all, all_named;  // call(*all, **all_named)
};

enum class StmtKind : uint8_t {
  data,       // text
  output,     // exprs, one after the other
  branch,     // if: conditions exprs[i] with bodies[i]; a last body without condition is the else
  loop,       // for: target exprs[0], items exprs[1], condition exprs[2] with its target exprs[3] (may be null);
              // bodies and frames: loop, else; frames[2]: the condition's
  set,        // target exprs[0] = exprs[1]
  set_block,  // target exprs[0] = bodies[0], through the filter exprs[1] (may be null)
  macro,      // text, target exprs[0], parameters with defaults, bodies[0]
  call,       // {% call(parameters) exprs[0] %} bodies[0]; generation: exprs[0] is null, the body is printed
  filter,     // exprs[0] applied to bodies[0]
  with,       // targets exprs[2i] = exprs[2i+1], bodies[0]
  scope,      // bodies[0] with variables of its own (autoescape)
  block,      // text; bodies[0], which sees what is set outside of loops (and all, where it is scoped)
  stop,       // break
  next,       // continue
};

// What happens to the variables of a scope when it is entered; left, they are all missing again.
struct Load {
  enum Kind : uint8_t { parameter, resolve, alias, missing } kind;
  Slot slot, from;   // from: of alias
  std::string name;  // of resolve
};
using Frame = std::vector<Load>;

struct Parameter {
  std::string name;
  Slot slot;
  ExprPtr otherwise;  // null: no default
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct Stmt {
  StmtKind kind;
  int line;
  std::string text;
  std::vector<ExprPtr> exprs;
  std::vector<Body> bodies;
  std::vector<Frame> frames;
  std::vector<Parameter> parameters;  // of macro and call
  bool recursive = false, scoped = false;
  Slot loop, caller, kwargs, varargs;  // index -1: not used
  int slots = 0, test_slots = 0;       // variables of the function that this statement makes, of a loop's condition
  std::vector<std::pair<std::string, Slot>> exported;  // what a block sees; what a set at the top gives to blocks
};

struct Template {
  Body body;
  Frame frame;
  int slots = 0;
};

// Fails with the line and the construct that is not understood.
Template parse(std::string_view source);
// Finds every name's place, by Jinja's rules of scope. Part of parse().
void resolve_names(Template& t);

}  // namespace loam::jinja
