// Statements.
#include <cstring>

#include "core/error.h"
#include "core/text/jinja/lexer.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {

struct Interpreter::Capture {
  Capture(Interpreter& in, std::string& to) : i(in), before(in.out_) { i.out_ = &to; }
  ~Capture() {
    if (Meter* meter = Meter::current()) meter->live -= int64_t(i.out_->size());
    i.out_ = before;
  }
  Interpreter& i;
  std::string* before;
};

struct Interpreter::Enter {
  Enter(Interpreter& in, std::shared_ptr<Activation> activation) : i(in), before(std::move(in.here_)) {
    i.here_ = std::move(activation);
  }
  ~Enter() { i.here_ = std::move(before); }
  Interpreter& i;
  std::shared_ptr<Activation> before;
};

struct Interpreter::Inside {
  Inside(Interpreter& in, const Frame& f) : i(in), frame(f) { i.enter(frame); }
  ~Inside() { i.leave(frame); }
  Interpreter& i;
  const Frame& frame;
};

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
        const Value v = evaluate(*e);
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
  write(str(filter(*s.exprs[0], &inner)));
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
  if (s.exprs[0]) return write(str(call_expression(*s.exprs[0], &caller)));
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

// A generator with variables of its own.
Value Interpreter::filtered_items(const Stmt& s, const std::shared_ptr<Activation>& outer, const Value& items) {
  const auto own = std::make_shared<Activation>(s.test_slots, outer);
  const std::shared_ptr<Iterator> from = iterate(items);
  bool entered = false;
  return make_generator(items, [this, &s, own, from, entered](Interpreter&, Value& out) mutable {
    const Enter function(*this, own);
    if (!std::exchange(entered, true)) enter(s.frames[2]);
    while (from->next(*this, out)) {
      step();
      assign(*s.exprs[3], out);
      if (truth(evaluate(*s.exprs[2]))) return true;
    }
    return false;
  });
}

Interpreter::Flow Interpreter::run_loop(const Stmt& s, const std::shared_ptr<Activation>& outer, const Value& over,
                                        int level) {
  const Value items = s.exprs[2] ? filtered_items(s, outer, over) : over;
  const auto loop = std::make_shared<Loop>(*this, s, s.recursive ? outer : nullptr, items, iterate(items), level);
  bool none = true;
  {
    const struct Leave {
      Interpreter& i;
      const Frame& frame;
      ~Leave() { i.leave(frame); }
    } at_end{*this, s.frames[0]};
    for (Value item; loop->next(*this, item);) {
      step();
      assign(*s.exprs[0], item);
      if (s.loop.index >= 0) at(s.loop) = Value(std::shared_ptr<Object>(loop));
      enter(s.frames[0]);
      const Flow flow = execute(s.bodies[0]);
      if (flow == Flow::stop) break;
      if (flow == Flow::normal) none = false;  // Jinja: a loop that was only left or continued has its else
    }
  }
  if (!none || s.bodies[1].empty()) return Flow::normal;
  const Inside inside(*this, s.frames[1]);
  return execute(s.bodies[1]);
}

std::string Interpreter::run_recursive(const Stmt& s, const std::shared_ptr<Activation>& outer, const Value& items,
                                       int level) {
  const Deeper deeper(*this);
  const Enter function(*this, std::make_shared<Activation>(s.slots, outer));
  std::string out;
  const Capture to(*this, out);
  run_loop(s, outer, items, level);
  return out;
}

Value Interpreter::call_macro(const Stmt& s, const std::shared_ptr<Activation>& outer, Args& args) {
  const std::string& name = s.text.empty() ? "caller" : s.text;
  const size_t count = s.parameters.size();
  if (args.positional.size() > count && s.varargs.index < 0) {
    fail(Code::bad_argument, "template: macro '%.60s' takes not more than %zu arguments", name.c_str(), count);
  }
  step(int64_t(count));
  const Enter function(*this, std::make_shared<Activation>(s.slots, outer));
  const auto take = [&](const std::string& key, std::optional<Value>& into) {
    for (size_t i = 0; i < args.named.size(); ++i) {
      if (args.named[i].first != key) continue;
      into = std::move(args.named[i].second);
      args.named.erase(args.named.begin() + ptrdiff_t(i));
      return;
    }
  };
  bool has_caller = false;
  for (size_t i = 0; i < count; ++i) {
    const Parameter& p = s.parameters[i];
    if (i < args.positional.size())
      at(p.slot) = args.positional[i];
    else
      take(p.name, at(p.slot));
    has_caller = has_caller || p.name == "caller";
  }
  if (s.caller.index >= 0 && !has_caller) {
    std::optional<Value>& caller = at(s.caller);
    take("caller", caller);
    if (!caller || caller->is_none()) caller = Value::undefined("no caller is given");
  }
  if (s.kwargs.index >= 0) {
    Pairs pairs;
    for (auto& [key, value] : args.named) pairs.emplace_back(Value(key), value);
    at(s.kwargs) = Value::dict(std::move(pairs));
  } else if (!args.named.empty()) {
    fail(Code::bad_argument, "template: macro '%.60s' has no parameter '%.60s'", name.c_str(),
         args.named[0].first.c_str());
  }
  if (s.varargs.index >= 0) {
    const auto first = args.positional.begin() + ptrdiff_t(std::min(count, args.positional.size()));
    at(s.varargs) = Value::list({first, args.positional.end()}, true);
  }
  std::string out;
  {
    const Capture to(*this, out);
    enter(s.frames[0]);
    for (const Parameter& p : s.parameters) {
      if (at(p.slot)) continue;
      Value v = p.otherwise ? evaluate(*p.otherwise) : Value::undefined("parameter '" + p.name + "' was not provided");
      at(p.slot) = std::move(v);
    }
    execute(s.bodies[0]);
  }
  return Value(std::move(out));
}

}  // namespace loam::jinja
