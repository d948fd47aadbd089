// Namespaces, macros and loop variables.
#include "core/text/jinja/objects.h"

#include "core/error.h"

namespace loam::jinja {
namespace {

Loop& loop_of(const Value& self) { return *static_cast<Loop*>(self.object().get()); }

Value loop_cycle(Interpreter&, const Value& self, Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: cycle() has no values");
  return args.positional[size_t(loop_of(self).index()) % args.positional.size()];
}

Value loop_changed(Interpreter& in, const Value& self, Args& args) {
  return loop_of(self).changed(in, Value::list(args.positional, true));
}

constexpr FunctionRow kCycle = {"cycle", loop_cycle, "*"}, kChanged = {"changed", loop_changed, "*"};

}  // namespace

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
  if (name.starts_with("_")) {
    fail(Code::bad_argument, "template: a namespace's attribute cannot begin with '_': '%s'",
         std::string(name.substr(0, 60)).c_str());
  }
  for (auto& [key, old] : values_) {
    if (key == name) {
      old = value;
      return true;
    }
  }
  if (values_.size() >= 10000) fail(Code::bad_argument, "template: a namespace of more than 10000 attributes");
  values_.emplace_back(name, value);
  return true;
}

std::string Namespace::repr() const {
  Pairs pairs;
  for (const auto& [key, value] : values_) pairs.emplace_back(Value(key), value);
  return "<Namespace " + Value::dict(std::move(pairs)).repr() + ">";
}

bool Macro::attribute(std::string_view name, Value& out) {
  const bool is_macro = stmt_.kind == StmtKind::macro;
  if (name == "name") {
    out = is_macro ? Value(stmt_.text) : Value(None{});
  } else if (name == "arguments") {
    std::vector<Value> names;
    for (const Parameter& p : stmt_.parameters) names.emplace_back(p.name);
    out = Value::list(std::move(names));
  } else if (name == "caller") {
    out = stmt_.caller.index >= 0;
  } else if (name == "catch_kwargs") {
    out = stmt_.kwargs.index >= 0;
  } else if (name == "catch_varargs") {
    out = stmt_.varargs.index >= 0;
  } else {
    return false;
  }
  return true;
}

std::string Macro::repr() const {
  return stmt_.kind == StmtKind::macro ? "<Macro " + Value(stmt_.text).repr() + ">" : "<Macro anonymous>";
}

bool Loop::attribute(std::string_view name, Value& out) {
  const auto method = [&](const FunctionRow& row) {
    return Value::make<Function>(row, Value(std::shared_ptr<Object>(shared_from_this())));
  };
  if (name == "index")
    out = index_ + 1;
  else if (name == "index0")
    out = index_;
  else if (name == "first")
    out = index_ == 0;
  else if (name == "last")
    out = !peek(in_).has_value();
  else if (name == "length")
    out = count(in_);
  else if (name == "revindex")
    out = count(in_) - index_;
  else if (name == "revindex0")
    out = count(in_) - index_ - 1;
  else if (name == "depth")
    out = int64_t(level_ + 1);
  else if (name == "depth0")
    out = int64_t(level_);
  else if (name == "previtem")
    out = index_ == 0 ? Value::undefined("there is no previous item") : *before_;
  else if (name == "nextitem")
    out = peek(in_).has_value() ? *peek(in_) : Value::undefined("there is no next item");
  else if (name == "cycle")
    out = method(kCycle);
  else if (name == "changed")
    out = method(kChanged);
  else
    return false;
  return true;
}

const std::optional<Value>& Loop::peek(Interpreter& i) {
  Value item;
  if (!after_ && iterator_->next(i, item)) after_ = std::move(item);
  return after_;
}

// Where nothing knows how many there are, all are fetched.
int64_t Loop::count(Interpreter& i) {
  if (count_ >= 0) return count_;
  if (items_.is_object() && items_.object()->length(i) < 0) {
    const Value rest = Value::list(i.to_list(Value(std::shared_ptr<Object>(iterator_))));
    count_ = int64_t(rest.items().size()) + index_ + 1 + after_.has_value();
    iterator_ = i.iterate(rest);
  } else {
    count_ = i.length(items_);
  }
  return count_;
}

bool Loop::next(Interpreter& i, Value& out) {
  if (after_) {
    out = std::move(*after_);
    after_.reset();
  } else if (!iterator_->next(i, out)) {
    return false;
  }
  ++index_;
  before_ = std::move(current_);
  current_ = out;
  return true;
}

Value Loop::call(Interpreter& i, Args& args) {
  if (!stmt_.recursive) fail(Code::bad_argument, "template: loop() in a loop that is not recursive");
  if (args.positional.size() != 1 || !args.named.empty()) {
    fail(Code::bad_argument, "template: loop() takes one argument");
  }
  return Value(i.run_recursive(stmt_, outer_, args.positional[0], level_ + 1));
}

bool Loop::changed(Interpreter& i, const Value& values) {
  if (!last_changed_) i.keep(shared_from_this());
  const bool differs = !last_changed_ || !i.equals(*last_changed_, values);
  last_changed_ = values;
  return differs;
}

}  // namespace loam::jinja
