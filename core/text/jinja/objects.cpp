// Namespaces, macros, loop variables, and the functions that every template has.
#include "core/text/jinja/objects.h"

#include <ctime>

#include "core/error.h"

namespace loam::jinja {
namespace {

constexpr int64_t kMostRange = 100000;  // as Jinja's sandbox has it

Value loop_cycle(Interpreter&, const Value& self, Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: cycle() has no values");
  const auto* loop = static_cast<Loop*>(self.object().get());
  return args.positional[size_t(loop->index()) % args.positional.size()];
}

Value loop_changed(Interpreter&, const Value& self, Args& args) {
  return static_cast<Loop*>(self.object().get())->changed(Value::list(args.positional));
}

// cycler(...): next(), reset(), current.
class Cycler final : public Object, public std::enable_shared_from_this<Cycler> {
 public:
  explicit Cycler(std::vector<Value> values) : values_(std::move(values)) {}
  const char* type() const override { return "Cycler"; }
  bool attribute(std::string_view name, Value& out) override {
    const Value self{std::shared_ptr<Object>(shared_from_this())};
    if (name == "current")
      out = values_[at_];
    else if (name == "next")
      out = Value(std::make_shared<Function>(next, self));
    else if (name == "reset")
      out = Value(std::make_shared<Function>(reset, self));
    else
      return false;
    return true;
  }

 private:
  static Value next(Interpreter&, const Value& self, Args&) {
    auto* c = static_cast<Cycler*>(self.object().get());
    const Value v = c->values_[c->at_];
    c->at_ = (c->at_ + 1) % c->values_.size();
    return v;
  }
  static Value reset(Interpreter&, const Value& self, Args&) {
    static_cast<Cycler*>(self.object().get())->at_ = 0;
    return None{};
  }
  std::vector<Value> values_;
  size_t at_ = 0;
};

// joiner(sep): nothing at the first call, then the separator.
class Joiner final : public Object {
 public:
  explicit Joiner(std::string separator) : separator_(std::move(separator)) {}
  const char* type() const override { return "Joiner"; }
  bool callable() const override { return true; }
  Value call(Interpreter&, Args&) override {
    const bool first = !used_;
    used_ = true;
    return first ? Value("") : Value(separator_);
  }

 private:
  std::string separator_;
  bool used_ = false;
};

Value make_range(Interpreter& in, const Value&, Args& args) {
  const bool one = args.positional.size() == 1;
  const int64_t start = one ? 0 : args.integer(0, "", 0), stop = args.integer(one ? 0 : 1, "", 0);
  const int64_t by = args.integer(2, "", 1);
  if (by == 0 || args.positional.empty())
    fail(Code::bad_argument, "template: range() needs 1 to 3 integers, no step 0");
  std::vector<Value> items;
  for (int64_t i = start; by > 0 ? i < stop : i > stop;) {
    if (int64_t(items.size()) >= kMostRange)
      fail(Code::bad_argument, "template: range() of more than %d items", int(kMostRange));
    items.push_back(i);
    if (__builtin_add_overflow(i, by, &i)) break;
  }
  in.step(int64_t(items.size()));
  return Value::list(std::move(items));
}

Value make_namespace(Interpreter& in, const Value&, Args& args) {
  auto ns = std::make_shared<Namespace>();
  for (const Value& v : args.positional) {
    if (!v.is_dict()) fail(Code::bad_argument, "template: namespace() takes a dict and names");
    for (const auto& [key, value] : v.pairs()) ns->set_attribute(key.text(), value);
  }
  for (const auto& [name, value] : args.named) ns->set_attribute(name, value);
  in.keep(ns);
  return Value(std::shared_ptr<Object>(ns));
}

Value make_dict(Interpreter&, const Value&, Args& args) {
  std::vector<std::pair<Value, Value>> items;
  if (!args.positional.empty() && args.positional[0].is_dict()) items = args.positional[0].pairs();
  for (const auto& [name, value] : args.named) items.emplace_back(name, value);
  return Value::dict(std::move(items));
}

Value make_cycler(Interpreter&, const Value&, Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: cycler() has no values");
  return Value(std::shared_ptr<Object>(std::make_shared<Cycler>(args.positional)));
}

Value make_joiner(Interpreter&, const Value&, Args& args) {
  return Value(std::shared_ptr<Object>(std::make_shared<Joiner>(args.string(0, "sep", ", "))));
}

Value raise_exception(Interpreter&, const Value&, Args& args) {
  fail(Code::bad_argument, "template: %s", args.string(0, "message", "raised without a message").c_str());
}

Value strftime_now(Interpreter& in, const Value&, Args& args) {
  const std::string format = args.string(0, "format", "%Y-%m-%d");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[256];
  return in.text(std::string(text, std::strftime(text, sizeof text, format.c_str(), &local)));
}

const NamedApply kGlobals[] = {
    {"range", make_range},          {"namespace", make_namespace}, {"dict", make_dict},
    {"cycler", make_cycler},        {"joiner", make_joiner},       {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
};

}  // namespace

void add_globals(Interpreter&, Scope& scope) {
  for (const NamedApply& row : kGlobals) {
    scope.set(row.name, Value(std::shared_ptr<Object>(std::make_shared<Function>(row.apply, Value()))));
  }
}

bool Namespace::attribute(std::string_view name, Value& out) {
  for (const auto& [key, value] : values_) {
    if (key == name) {
      out = value;
      return true;
    }
  }
  return false;
}

bool Namespace::set_attribute(std::string_view name, const Value& value) {
  for (auto& [key, old] : values_) {
    if (key == name) {
      old = value;
      return true;
    }
  }
  values_.emplace_back(name, value);
  return true;
}

bool Macro::attribute(std::string_view name, Value& out) {
  if (name != "name") return false;
  out = name_;
  return true;
}

bool Loop::attribute(std::string_view name, Value& out) {
  const auto count = int64_t(items_.size());
  const auto item = [&](int64_t i) { return i >= 0 && i < count ? items_[size_t(i)] : Value::undefined(name); };
  const auto method = [&](Apply apply) {
    const std::shared_ptr<Object> self(shared_from_this());
    return Value(std::shared_ptr<Object>(std::make_shared<Function>(apply, Value(self))));
  };
  if (name == "index")
    out = index_ + 1;
  else if (name == "index0")
    out = index_;
  else if (name == "revindex")
    out = count - index_;
  else if (name == "revindex0")
    out = count - index_ - 1;
  else if (name == "first")
    out = index_ == 0;
  else if (name == "last")
    out = index_ + 1 == count;
  else if (name == "length")
    out = count;
  else if (name == "depth")
    out = int64_t(level_ + 1);
  else if (name == "depth0")
    out = int64_t(level_);
  else if (name == "previtem")
    out = item(index_ - 1);
  else if (name == "nextitem")
    out = item(index_ + 1);
  else if (name == "cycle")
    out = method(loop_cycle);
  else if (name == "changed")
    out = method(loop_changed);
  else
    return false;
  return true;
}

Value Loop::call(Interpreter& in, Args& args) {
  if (!stmt_.recursive) fail(Code::bad_argument, "template: loop() in a loop that is not recursive");
  if (args.positional.size() != 1) fail(Code::bad_argument, "template: loop() takes one argument");
  return in.run_loop_text(stmt_, scope_, args.positional[0], level_ + 1);
}

bool Loop::changed(const Value& values) {
  const bool differs = last_.is_undefined() || !equal(last_, values);
  last_ = values;
  return differs;
}

}  // namespace loam::jinja
