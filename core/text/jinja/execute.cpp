// Statements.
#include <cstring>

#include "core/error.h"
#include "core/text/jinja/lexer.h"
#include "core/text/jinja/running.h"

namespace loam::jinja {

// One after the other, so that a long chain of them does not end in deep recursion.
Interpreter::~Interpreter() {
  for (const auto& object : kept_objects_) object->clear();
  for (const auto& activation : kept_activations_) activation->values.clear();
}

void Interpreter::keep(std::shared_ptr<Object> object) { kept_objects_.push_back(std::move(object)); }

void Interpreter::keep(const std::shared_ptr<Activation>& activation) {
  if (!std::exchange(activation->kept, true)) kept_activations_.push_back(activation);
}

std::string Interpreter::run(const Template& t, const Value& context) {
  add_globals(globals_);
  if (context.is_dict()) {
    for (const auto& [key, value] : context.pairs()) globals_.insert_or_assign(key.text(), value);
  }
  const Enter enter_root(*this, std::make_shared<Activation>(t.slots, nullptr));
  std::string out;
  const Capture capture_out(*this, out);
  enter(t.frame);
  execute(t.body);
  return out;
}

void Interpreter::write(std::string_view s) {
  step(int64_t(s.size() / 64));
  if (Meter* meter = Meter::current()) meter->add(int64_t(s.size()));
  out_->append(s);
}

void Interpreter::write_text(const Value& v, const char* what) {
  if (!v.is_string()) fail(Code::bad_argument, "template: the %s block makes a %s, no text", what, v.type_name());
  write(v.string());
}

std::optional<Value>& Interpreter::at(const Slot& slot) {
  Activation* a = here_.get();
  for (int i = 0; i < slot.hops; ++i) a = a->outer.get();
  return a->values[size_t(slot.index)];
}

const Value* Interpreter::global(const std::string& name) const {
  const auto found_in = [&](const std::unordered_map<std::string, Value>& names) {
    const auto found = names.find(name);
    return found == names.end() ? nullptr : &found->second;
  };
  const Value* v = found_in(block_names_ ? *block_names_ : exported_);
  return v ? v : found_in(globals_);
}

void Interpreter::enter(const Frame& frame) {
  step(int64_t(frame.size()) / 4);
  for (const Load& load : frame) {
    if (load.kind == Load::parameter) continue;
    std::optional<Value>& value = at(load.slot);
    value.reset();
    if (load.kind == Load::alias) value = at(load.from);
    if (load.kind != Load::resolve) continue;
    if (const Value* found = global(load.name)) value = *found;
  }
}

void Interpreter::leave(const Frame& frame) {
  for (const Load& load : frame) at(load.slot).reset();
}

void Interpreter::export_names(const Stmt& s) {
  for (const auto& [name, slot] : s.exported) {
    if (const auto& value = at(slot)) exported_.insert_or_assign(name, *value);
  }
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
    case StmtKind::output:
      for (const ExprPtr& e : s.exprs) {
        printed_ = e.get();
        const Value v = evaluate(*e);
        printed_ = nullptr;
        if (v.is_string())
          write(v.string());
        else
          write(str(v));
      }
      break;
    case StmtKind::branch: return execute_branch(s);
    case StmtKind::loop:
      if (!s.recursive) return run_loop(s, here_, evaluate(*s.exprs[1]), 0);
      write(run_recursive(s, here_, evaluate(*s.exprs[1]), 0));
      break;
    case StmtKind::set:
      assign(*s.exprs[0], evaluate(*s.exprs[1]));
      export_names(s);
      break;
    case StmtKind::set_block: return execute_set_block(s);
    case StmtKind::macro:
      keep(here_);
      assign(*s.exprs[0], Value::make<Macro>(s, here_));
      export_names(s);
      break;
    case StmtKind::call: execute_call(s); break;
    case StmtKind::filter: return execute_filter(s);
    case StmtKind::with: return execute_with(s);
    case StmtKind::scope: {
      const Inside inside(*this, s.frames[0]);
      return execute(s.bodies[0]);
    }
    case StmtKind::block: execute_block(s); break;
    case StmtKind::stop: return Flow::stop;
    case StmtKind::next: return Flow::next;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute_branch(const Stmt& s) {
  for (size_t i = 0; i < s.exprs.size(); ++i) {
    if (truth(evaluate(*s.exprs[i]))) return execute(s.bodies[i]);
  }
  return s.bodies.size() > s.exprs.size() ? execute(s.bodies.back()) : Flow::normal;
}

// A break leaves the block; what it wrote is lost.
Interpreter::Flow Interpreter::execute_set_block(const Stmt& s) {
  const Inside inside(*this, s.frames[0]);
  std::string out;
  {
    const Capture to(*this, out);
    if (const Flow flow = execute(s.bodies[0]); flow != Flow::normal) return flow;
  }
  Value v{std::move(out)};
  if (s.exprs[1]) v = filter(*s.exprs[1], &v);
  assign(*s.exprs[0], v);
  export_names(s);
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute_filter(const Stmt& s) {
  const Inside inside(*this, s.frames[0]);
  std::string out;
  {
    const Capture to(*this, out);
    if (const Flow flow = execute(s.bodies[0]); flow != Flow::normal) return flow;
  }
  const Value inner{std::move(out)};
  write_text(filter(*s.exprs[0], &inner), "filter");
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute_with(const Stmt& s) {
  const Inside inside(*this, s.frames[0]);
  for (size_t i = 0; i + 1 < s.exprs.size(); i += 2) assign(*s.exprs[i], evaluate(*s.exprs[i + 1]));
  return execute(s.bodies[0]);
}

void Interpreter::execute_call(const Stmt& s) {
  const Value caller = Value::make<Macro>(s, here_);
  keep(here_);
  if (s.exprs[0]) return write_text(call_expression(*s.exprs[0], &caller), "call");
  Args none;  // {% generation %}
  write(str(call(caller, none)));
}

// A block sees the input and what was set outside of loops; a scoped one all that is set around it.
void Interpreter::execute_block(const Stmt& s) {
  std::unordered_map<std::string, Value> seen = block_names_ ? *block_names_ : exported_;
  step(int64_t(seen.size()));
  for (const auto& [name, slot] : s.exported) {
    if (const auto& value = at(slot)) seen.insert_or_assign(name, *value);
  }
  const auto* before = std::exchange(block_names_, &seen);
  const struct Restore {
    const std::unordered_map<std::string, Value>*&to, *value;
    ~Restore() { to = value; }
  } restore{block_names_, before};
  const Enter function(*this, std::make_shared<Activation>(s.slots, nullptr));
  enter(s.frames[0]);
  execute(s.bodies[0]);
}

void Interpreter::assign(const Expr& target, const Value& value) {
  if (target.kind == ExprKind::name) {
    at(target.slot) = value;
    return;
  }
  if (target.kind == ExprKind::attribute) {
    const Value object = evaluate(*target.args[0]);
    auto* ns = object.as<Namespace>();
    if (!ns) fail(Code::bad_argument, "template: only namespaces have attributes that can be set");
    ns->set_attribute(target.text, value);
    return;
  }
  const std::vector<Value> items = to_list(value);
  if (items.size() != target.args.size()) {
    fail(Code::bad_argument, "template: %zu values for %zu names", items.size(), target.args.size());
  }
  for (size_t i = 0; i < items.size(); ++i) assign(*target.args[i], items[i]);
}

}  // namespace loam::jinja
