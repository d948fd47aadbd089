// Runs a parsed template: scopes, budget, evaluation. One use per object.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/ast.h"

namespace loam::jinja {

// What a template may cost; beyond it is an Error.
struct Limits {
  int64_t steps = 2'000'000;  // nodes evaluated and items walked
  int64_t bytes = 64 << 20;   // of all texts made on the way
  int depth = 1000;           // of nested evaluation
};

struct Scope {
  std::vector<std::pair<std::string, Value>> names;
  Scope* parent = nullptr;
  const Value* find(std::string_view name) const;  // here only
  void set(std::string_view name, Value value);
};

class Interpreter {
 public:
  explicit Interpreter(Limits limits = {}) : limits_(limits) {}
  ~Interpreter();
  std::string run(const Body& body, const Value& context);

  Value evaluate(const Expr& e);
  Value call(const Value& callee, Args& args);
  // A macro's body (or a caller's) in a scope of its own.
  Value call_body(const std::string& name, const Stmt& s, const Body& body, Scope* parent, Args& args);
  Value apply_filter(std::string_view name, const Value& input, Args& args);
  bool apply_test(std::string_view name, const Value& input, Args& args);
  void run_loop(const Stmt& s, Scope* scope, const Value& items, int level);
  std::string run_loop_text(const Stmt& s, Scope* scope, const Value& items, int level);

  Value attribute(const Value& object, std::string_view name);
  Value subscript(const Value& object, const Value& key);
  Value get_path(const Value& object, std::string_view dotted);  // "a.b.0", as filters name attributes
  std::vector<Value> iterate(const Value& v);
  void step(int64_t count = 1);
  void charge(size_t bytes);  // before a text of this size is made
  Value text(std::string s);  // charged
  // Namespaces may form cycles; the interpreter empties them at its end.
  void keep(std::weak_ptr<Object> object) { kept_objects_.push_back(std::move(object)); }

 private:
  enum class Flow { normal, stop, next };
  struct Deeper {
    explicit Deeper(Interpreter& in);
    ~Deeper() { --i.depth_; }
    Interpreter& i;
  };
  struct Capture;  // redirects the output
  struct Enter;    // enters a scope
  struct Local;    // enters a new one

  Flow execute(const Body& body);
  Flow execute(const Stmt& s);
  Flow execute_branch(const Stmt& s);
  void execute_with(const Stmt& s);
  void execute_call(const Stmt& s);
  std::string capture(const Body& body);
  std::string capture_block(const Stmt& s);
  void write(std::string_view s);
  void assign(const Expr& target, const Value& value);

  Value name(const Expr& e);
  Value unary(const Expr& e);
  Value logic(const Expr& e);
  Value compare(const Expr& e);
  Value slice(const Expr& e);
  Value call_expression(const Expr& e, const Value* caller = nullptr);
  Value filter(const Expr& e, const Value* input);
  Args arguments(const Expr& e);
  std::vector<Value> evaluate_all(const Expr& e);
  Value dict(const Expr& e);
  Scope* new_scope(Scope* parent);

  Limits limits_;
  int depth_ = 0;
  Scope* scope_ = nullptr;
  std::string* out_ = nullptr;
  std::vector<std::unique_ptr<Scope>> scopes_;  // all of them, as macros may outlive their place
  std::vector<std::weak_ptr<Object>> kept_objects_;
  int64_t captures_ = 0;  // how often something took hold of a scope
};

using Apply = Value (*)(Interpreter& in, const Value& self, Args& args);
struct NamedApply {
  const char* name;
  Apply apply;
};
Value binary(Interpreter& in, std::string_view op, const Value& a, const Value& b);
Value python_format(Interpreter& in, const std::string& format, const std::vector<Value>& values,
                    bool may_leave = false);
// Null: no such thing.
Apply find_filter(std::string_view name);
Apply find_method(const Value& self, std::string_view name);
Apply find_test(std::string_view name);
// Sets the functions that every template has.
void add_globals(Interpreter& in, Scope& scope);

}  // namespace loam::jinja
