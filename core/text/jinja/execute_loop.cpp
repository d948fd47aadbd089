// Loops and macros: the statements that make functions.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/running.h"

namespace loam::jinja {

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

Interpreter::Flow Interpreter::run_loop(const Stmt& s, std::shared_ptr<Activation> outer, const Value& over,
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

std::string Interpreter::run_recursive(const Stmt& s, std::shared_ptr<Activation> outer, const Value& items,
                                       int level) {
  const Deeper deeper(*this);
  const Enter function(*this, std::make_shared<Activation>(s.slots, outer));
  std::string out;
  const Capture to(*this, out);
  run_loop(s, outer, items, level);
  return out;
}

// What a call gives to the parameters of a macro whose activation has begun.
void Interpreter::bind_arguments(const Stmt& s, const char* name, Args& args) {
  const size_t count = s.parameters.size();
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
    fail(Code::bad_argument, "template: macro '%.60s' has no parameter '%.60s'", name, args.named[0].first.c_str());
  }
  if (s.varargs.index >= 0) {
    const auto first = args.positional.begin() + ptrdiff_t(std::min(count, args.positional.size()));
    at(s.varargs) = Value::list({first, args.positional.end()}, true);
  }
}

Value Interpreter::call_macro(const Stmt& s, const std::shared_ptr<Activation>& outer, Args& args) {
  const char* const name = s.text.empty() ? "caller" : s.text.c_str();
  const size_t count = s.parameters.size();
  if (args.positional.size() > count && s.varargs.index < 0) {
    fail(Code::bad_argument, "template: macro '%.60s' takes not more than %zu arguments", name, count);
  }
  step(int64_t(count));
  const Enter function(*this, std::make_shared<Activation>(s.slots, outer));
  bind_arguments(s, name, args);
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
