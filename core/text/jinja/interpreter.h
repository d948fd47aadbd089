// Runs a parsed template: variables, budget, evaluation. One use per object.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/jinja/ast.h"
#include "core/text/jinja/functions.h"

namespace loam::jinja {

// The variables of a running function: the template, a macro, a call block, a recursive loop, a loop's condition.
struct Activation {
  Activation(int slots, std::shared_ptr<Activation> outer_function)
      : values(size_t(slots)), outer(std::move(outer_function)), charge(64 + 32 * slots) {}
  std::vector<std::optional<Value>> values;  // empty: missing
  std::shared_ptr<Activation> outer;
  bool kept = false;  // a macro holds it: the interpreter empties it at its end, as it may be part of a cycle
  Charge charge;
};

class Iterator;

class Interpreter {
 public:
  struct Budget {
    int64_t steps;     // nodes evaluated and items walked, and texts by their length
    int depth = 200;   // of calls in calls and blocks in blocks
    std::string time;  // what strftime_now reads: "YYYY-MM-DD hh:mm:ss"; empty: the clock
  };
  explicit Interpreter(Budget budget) : budget_(std::move(budget)) {}
  ~Interpreter();
  std::string run(const Template& t, const Value& context);

  Value evaluate(const Expr& e);
  Value call(const Value& callee, Args& args);
  Value call_macro(const Stmt& s, const std::shared_ptr<Activation>& outer, Args& args);
  Value apply_filter(const Value& name, const Value& input, Args& args);
  bool apply_test(const Value& name, const Value& input, Args& args);
  // The loop's text where it is recursive; else it is written.
  std::string run_recursive(const Stmt& s, std::shared_ptr<Activation> outer, const Value& items, int depth);

  Value attribute(const Value& object, std::string_view name);
  Value subscript(const Value& object, const Value& key);
  std::shared_ptr<Iterator> iterate(const Value& v, bool reversed = false);
  std::vector<Value> to_list(const Value& v);
  int64_t length(const Value& v);  // fails where there is none
  bool truth(const Value& v);
  bool equals(const Value& a, const Value& b);
  bool is_less(const Value& a, const Value& b);
  bool contains(const Value& container, const Value& item);

  void step(int64_t count = 1) {
    budget_.steps -= count;
    if (budget_.steps < 0) fail_steps();
  }
  void charge(int64_t bytes);                      // before a text of this size is made
  void walk(const Value& v);                       // before all of a value is walked
  Value text(std::string s, bool markup = false);  // its steps are counted
  std::string str(const Value& v);                 // of a value, counted
  const std::string& time() const { return budget_.time; }
  int64_t steps_left() const { return budget_.steps; }
  // Things that may hold themselves: they live, and are emptied, until the interpreter's end.
  void keep(std::shared_ptr<Object> object);

  struct Deeper {  // bounds recursion
    explicit Deeper(Interpreter& in);
    ~Deeper() { --i.depth_; }
    Interpreter& i;
  };

 private:
  enum class Flow { normal, stop, next };
  struct Capture;  // redirects the output
  struct Enter;    // runs in another function's variables
  struct Inside;   // enters a scope

  Flow execute(const Body& body);
  Flow execute(const Stmt& s);
  Flow execute_branch(const Stmt& s);
  Flow execute_with(const Stmt& s);
  Flow execute_set_block(const Stmt& s);
  Flow execute_filter(const Stmt& s);
  void execute_call(const Stmt& s);
  void execute_block(const Stmt& s);
  void export_names(const Stmt& s);
  void bind_arguments(const Stmt& s, const char* name, Args& args);
  Flow run_loop(const Stmt& s, std::shared_ptr<Activation> outer, const Value& items, int depth);
  Value filtered_items(const Stmt& s, const std::shared_ptr<Activation>& outer, const Value& items);
  void write(std::string_view s);
  void write_text(const Value& v, const char* what);  // fails where it is no text
  void assign(const Expr& target, const Value& value);

  std::optional<Value>& at(const Slot& slot);
  const Value* global(const std::string& name) const;
  void enter(const Frame& frame);
  void leave(const Frame& frame);
  void keep(const std::shared_ptr<Activation>& activation);

  Value name(const Expr& e);
  Value unary(const Expr& e);
  Value compare(const Expr& e);
  bool compare_one(Op op, const Value& left, const Value& right);
  Value concat(const Expr& e);
  Value slice(const Expr& e);
  Value slice_of(const Value& object, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t by);
  Value call_expression(const Expr& e, const Value* caller = nullptr);
  Value filter(const Expr& e, const Value* input);
  Args arguments(const Expr& e, const Value* caller = nullptr);
  std::vector<Value> evaluate_all(const Expr& e);
  Value dict(const Expr& e);
  [[noreturn]] void fail_steps() const;

  Budget budget_;
  int64_t steps_at_start_ = budget_.steps;
  int depth_ = 0;
  std::shared_ptr<Activation> here_;
  std::string* out_ = nullptr;
  const Expr* printed_ = nullptr;                                        // what the statement at hand prints
  std::unordered_map<std::string, Value> globals_;                       // the input's variables and the functions
  std::unordered_map<std::string, Value> exported_;                      // what was set at the top
  const std::unordered_map<std::string, Value>* block_names_ = nullptr;  // in a block: what it sees
  std::vector<std::shared_ptr<Object>> kept_objects_;
  std::vector<std::shared_ptr<Activation>> kept_activations_;
};

// Python's getattr, with the sandbox's rules; false: there is none.
bool get_attribute(const Value& object, std::string_view name, Value& out);
Value binary(Interpreter& in, Op op, const Value& a, const Value& b);
// "%" on a text, and str.format.
Value python_format(Interpreter& in, const Value& format, const Value& values);
Value brace_format(Interpreter& in, const Value& format, const Args& args);
// The functions that every template has.
void add_globals(std::unordered_map<std::string, Value>& to);

}  // namespace loam::jinja
