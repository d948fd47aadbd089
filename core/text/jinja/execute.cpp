// Statements.
#include <cstring>

#include "core/error.h"
#include "core/text/jinja/lexer.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {

struct Interpreter::Capture {
  Capture(Interpreter& in, std::string& to) : i(in), before(in.out_) { i.out_ = &to; }
  ~Capture() { i.out_ = before; }
  Interpreter& i;
  std::string* before;
};

struct Interpreter::Enter {
  Enter(Interpreter& in, Scope* scope) : i(in), before(in.scope_) { i.scope_ = scope; }
  ~Enter() { i.scope_ = before; }
  Interpreter& i;
  Scope* before;
};

// Enters a new scope. It goes at the end unless a macro that it holds may outlive it.
struct Interpreter::Local {
  Local(Interpreter& in, Scope* parent) : captures(in.captures_), enter(in, in.new_scope(parent)) {}
  ~Local() {
    auto& all = enter.i.scopes_;
    if (captures == enter.i.captures_ && all.back().get() == enter.i.scope_) all.pop_back();
  }
  int64_t captures;
  Enter enter;
};

const Value* Scope::find(std::string_view name) const {
  for (const auto& [key, value] : names) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto& [key, old] : names) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  names.emplace_back(name, std::move(value));
}

Interpreter::~Interpreter() {
  for (const auto& weak : kept_objects_) {
    if (const auto object = weak.lock()) static_cast<Namespace*>(object.get())->clear();
  }
  for (const auto& scope : scopes_) scope->names.clear();
}

Scope* Interpreter::new_scope(Scope* parent) {
  scopes_.push_back(std::make_unique<Scope>());
  scopes_.back()->parent = parent;
  return scopes_.back().get();
}

std::string Interpreter::run(const Body& body, const Value& context) {
  Scope* globals = new_scope(nullptr);
  add_globals(*this, *globals);
  Scope* root = new_scope(globals);
  if (context.is_dict()) {
    for (const auto& [key, value] : context.pairs()) root->set(key.text(), value);
  }
  const Enter enter(*this, root);
  std::string out;
  const Capture capture_out(*this, out);
  if (execute(body) != Flow::normal) fail(Code::bad_argument, "template: break or continue outside of a loop");
  return out;
}

void Interpreter::write(std::string_view s) {
  charge(s.size());
  out_->append(s);
}

std::string Interpreter::capture(const Body& body) {
  std::string out;
  const Capture to(*this, out);
  if (execute(body) != Flow::normal) fail(Code::bad_argument, "template: break or continue leaves its block");
  return out;
}

// What is set inside of the block stays there.
std::string Interpreter::capture_block(const Stmt& s) {
  const Local local(*this, scope_);
  return capture(s.bodies[0]);
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  const Deeper deeper(*this);
  for (const auto& s : body) {
    step();
    Flow flow = Flow::normal;
    try {
      flow = execute(*s);
    } catch (const Error& e) {
      constexpr const char* kPlain = "template: ";
      if (std::strncmp(e.what(), kPlain, std::strlen(kPlain)) != 0) throw;
      throw Error(e.code, "template, line " + std::to_string(s->line) + ": " + (e.what() + std::strlen(kPlain)));
    }
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::data: write(s.text); break;
    case StmtKind::output: {
      const Value v = evaluate(*s.exprs[0]);
      if (v.is_string())
        write(v.string());
      else
        write(v.text());
      break;
    }
    case StmtKind::branch: return execute_branch(s);
    case StmtKind::loop: run_loop(s, scope_, evaluate(*s.exprs[1]), 0); break;
    case StmtKind::set: assign(*s.exprs[0], evaluate(*s.exprs[1])); break;
    case StmtKind::set_block: {
      Value v{capture_block(s)};
      if (s.exprs[1]) v = filter(*s.exprs[1], &v);
      assign(*s.exprs[0], v);
      break;
    }
    case StmtKind::macro:
      ++captures_;
      scope_->set(s.text, Value(std::shared_ptr<Object>(std::make_shared<Macro>(s.text, s, s.bodies[0], scope_))));
      break;
    case StmtKind::call: execute_call(s); break;
    case StmtKind::filter: {
      const Value inner{capture_block(s)};
      write(filter(*s.exprs[0], &inner).text());
      break;
    }
    case StmtKind::with: execute_with(s); break;
    case StmtKind::block: return execute(s.bodies[0]);
    case StmtKind::stop: return Flow::stop;
    case StmtKind::next: return Flow::next;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute_branch(const Stmt& s) {
  for (size_t i = 0; i < s.exprs.size(); ++i) {
    if (evaluate(*s.exprs[i]).truth()) return execute(s.bodies[i]);
  }
  return s.bodies.size() > s.exprs.size() ? execute(s.bodies.back()) : Flow::normal;
}

void Interpreter::execute_with(const Stmt& s) {
  Scope* scope = new_scope(scope_);
  for (size_t i = 0; i + 1 < s.exprs.size(); i += 2) {
    const Value v = evaluate(*s.exprs[i + 1]);  // in the outer scope
    const Enter enter(*this, scope);
    assign(*s.exprs[i], v);
  }
  const Enter enter(*this, scope);
  if (execute(s.bodies[0]) != Flow::normal) fail(Code::bad_argument, "template: break or continue leaves its block");
}

void Interpreter::execute_call(const Stmt& s) {
  ++captures_;
  const Value caller(std::shared_ptr<Object>(std::make_shared<Macro>("caller", s, s.bodies[0], scope_)));
  write(call_expression(*s.exprs[0], &caller).text());
}

void Interpreter::assign(const Expr& target, const Value& value) {
  if (target.kind == ExprKind::name) return scope_->set(target.text, value);
  if (target.kind == ExprKind::attribute) {
    const Value object = evaluate(*target.args[0]);
    if (!object.is_object() || !object.object()->set_attribute(target.text, value)) {
      fail(Code::bad_argument, "template: only namespaces have attributes that can be set");
    }
    return;
  }
  const std::vector<Value> items = iterate(value);
  if (items.size() != target.args.size()) {
    fail(Code::bad_argument, "template: %zu values for %zu names", items.size(), target.args.size());
  }
  for (size_t i = 0; i < items.size(); ++i) assign(*target.args[i], items[i]);
}

void Interpreter::run_loop(const Stmt& s, Scope* outer, const Value& over, int level) {
  std::vector<Value> items = iterate(over);
  if (s.exprs[2]) {
    std::vector<Value> chosen;
    const Local local(*this, outer);
    for (const Value& item : items) {
      assign(*s.exprs[0], item);
      if (evaluate(*s.exprs[2]).truth()) chosen.push_back(item);
    }
    items = std::move(chosen);
  }
  if (items.empty()) {
    const Local local(*this, outer);
    if (execute(s.bodies[1]) != Flow::normal) fail(Code::bad_argument, "template: break or continue in an else");
    return;
  }
  const auto loop = std::make_shared<Loop>(s, outer, items, level);
  captures_ += s.recursive;
  for (size_t i = 0; i < items.size(); ++i) {
    loop->move_to(i);
    const Local local(*this, outer);
    scope_->set("loop", Value(std::shared_ptr<Object>(loop)));
    assign(*s.exprs[0], items[i]);
    if (execute(s.bodies[0]) == Flow::stop) break;
  }
  loop->finish();
}

std::string Interpreter::run_loop_text(const Stmt& s, Scope* scope, const Value& items, int level) {
  std::string out;
  const Capture to(*this, out);
  run_loop(s, scope, items, level);
  return out;
}

Value Interpreter::call_body(const std::string& macro_name, const Stmt& s, const Body& body, Scope* parent,
                             Args& args) {
  if (args.positional.size() > s.parameters.size()) {
    fail(Code::bad_argument, "template: macro '%s' takes not more than %zu arguments", macro_name.c_str(),
         s.parameters.size());
  }
  const Local local(*this, parent);
  for (size_t i = 0; i < s.parameters.size(); ++i) {
    const auto& [key, otherwise] = s.parameters[i];
    const Value* given = args.find(i, key);
    scope_->set(key, given ? *given : otherwise ? evaluate(*otherwise) : Value::undefined(key));
  }
  for (const auto& [key, value] : args.named) {
    if (key == "caller")
      scope_->set(key, value);
    else if (!scope_->find(key))
      fail(Code::bad_argument, "template: macro '%s' has no parameter '%s'", macro_name.c_str(), key.c_str());
  }
  return Value(capture(body));
}

}  // namespace loam::jinja
