// The functions that every template has.
#include <algorithm>
#include <ctime>

#include "core/error.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {
namespace {

constexpr int64_t kMostRange = 100000;  // as Jinja's sandbox has it

// cycler(...): next(), reset(), current.
class Cycler final : public Object, public std::enable_shared_from_this<Cycler> {
 public:
  explicit Cycler(std::vector<Value> values) : values_(std::move(values)) {}
  const char* type() const override { return "Cycler"; }
  bool attribute(std::string_view name, Value& out) override;
  int depth() const override {
    int most = 0;
    for (const Value& v : values_) most = std::max(most, v.depth());
    return most + 1;
  }
  Value next() {
    if (values_.empty()) return {};
    const Value v = values_[at_];
    at_ = (at_ + 1) % values_.size();
    return v;
  }
  void reset() { at_ = 0; }

 private:
  std::vector<Value> values_;
  size_t at_ = 0;
};

Value cycler_next(Interpreter&, const Value& self, Args&) { return self.as<Cycler>()->next(); }
Value cycler_reset(Interpreter&, const Value& self, Args&) {
  self.as<Cycler>()->reset();
  return None{};
}
constexpr FunctionRow kNext = {"next", cycler_next}, kReset = {"reset", cycler_reset};

bool Cycler::attribute(std::string_view name, Value& out) {
  const Value self{std::shared_ptr<Object>(shared_from_this())};
  if (name == "current")
    out = values_.empty() ? Value() : values_[at_];
  else if (name == "next")
    out = Value::make<Function>(kNext, self);
  else if (name == "reset")
    out = Value::make<Function>(kReset, self);
  else if (name == "pos")
    out = int64_t(at_);
  else if (name == "items")
    out = Value::list(values_, true);
  else
    return false;
  return true;
}

// joiner(sep): nothing at the first call, then the separator.
class Joiner final : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  const char* type() const override { return "Joiner"; }
  bool callable() const override { return true; }
  bool attribute(std::string_view name, Value& out) override {
    if (name != "sep" && name != "used") return false;
    out = name == "sep" ? separator_ : Value(used_);
    return true;
  }
  Value call(Interpreter&, Args& args) override {
    if (!args.positional.empty() || !args.named.empty()) fail(Code::bad_argument, "template: a joiner takes nothing");
    return std::exchange(used_, true) ? separator_ : Value("");
  }
  int depth() const override { return separator_.depth() + 1; }

 private:
  Value separator_;
  bool used_ = false;
};

Value make_range(Interpreter&, const Value&, Args& args) {
  const bool one = args.positional.size() == 1;
  const int64_t start = one ? 0 : args.integer(0, "", 0), stop = args.integer(one ? 0 : 1, "", 0);
  const int64_t by = args.integer(2, "", 1);
  if (by == 0) fail(Code::bad_argument, "template: range() with step 0");
  if (Range(start, stop, by).size() > kMostRange) {
    fail(Code::bad_argument, "template: range() of more than %d items", int(kMostRange));
  }
  return Value::make<Range>(start, stop, by);
}

// dict(...) of Python: a dict or pairs, and names.
Value make_dict(Interpreter& in, const Value&, Args& args) {
  DictMaker dict;
  if (!args.positional.empty()) {
    const Value& from = args.positional[0];
    if (from.is_undefined()) fail_undefined(from);
    if (from.is_dict()) {
      for (const auto& [key, value] : from.pairs()) dict.put(key, value);
      in.step(int64_t(from.pairs().size()));
    } else {
      for (const Value& pair : in.to_list(from)) {
        const std::vector<Value> both = in.to_list(pair);
        if (both.size() != 2) fail(Code::bad_argument, "template: dict() needs pairs");
        in.walk(both[0]);
        dict.put(both[0], both[1]);
      }
    }
  }
  for (const auto& [name, value] : args.named) dict.put(Value(name), value);
  in.step(int64_t(args.named.size()));
  return dict.take();
}

Value dict_fromkeys(Interpreter& in, const Value&, Args& args) {
  DictMaker dict;
  const Value value = args.positional.size() > 1 ? args.positional[1] : Value(None{});
  for (const Value& key : in.to_list(args.positional[0])) {
    in.walk(key);
    dict.put(key, value);
  }
  return dict.take();
}

constexpr FunctionRow kDict = {"dict", make_dict, "/from? **"},
                      kFromKeys = {"fromkeys", dict_fromkeys, "/from /value?"};

class DictType final : public Object {
 public:
  const char* type() const override { return "TemplateDict"; }
  bool callable() const override { return true; }
  Value call(Interpreter& in, Args& args) override { return apply_row(in, kDict, {}, args); }
  bool attribute(std::string_view name, Value& out) override {
    if (name != "fromkeys") return false;
    out = Value::make<Function>(kFromKeys);
    return true;
  }
};

Value make_namespace(Interpreter& in, const Value& self, Args& args) {
  const auto ns = std::make_shared<Namespace>();
  const Value values = make_dict(in, self, args);
  for (const auto& [key, value] : values.pairs()) ns->set_attribute(key.text(), value);
  in.keep(ns);
  return Value(std::shared_ptr<Object>(ns));
}

Value make_cycler(Interpreter& in, const Value&, Args& args) {
  if (args.positional.empty()) fail(Code::bad_argument, "template: cycler() has no values");
  in.charge(int64_t(args.positional.size()) * 32);
  return Value::make<Cycler>(args.positional);
}

Value make_joiner(Interpreter&, const Value&, Args& args) {
  const Value* separator = args.find(0, "sep");
  return Value::make<Joiner>(separator ? *separator : Value(", "));
}

Value raise_exception(Interpreter&, const Value&, Args& args) {
  fail(Code::bad_argument, "template: %.900s", args.text(0, "message", "").c_str());
}

std::tm time_for(const Interpreter& in) {
  std::tm out{};
  if (in.time().empty()) {
    const std::time_t now = std::time(nullptr);
    localtime_r(&now, &out);
    return out;
  }
  const char* end = strptime(in.time().c_str(), "%Y-%m-%d %H:%M:%S", &out);
  if (!end || *end) {
    fail(Code::bad_argument, "the template's time is '%.60s', not like '2024-07-26 12:00:00'", in.time().c_str());
  }
  return out;
}

Value strftime_now(Interpreter& in, const Value&, Args& args) {
  const Value* format = args.find(0, "format");
  if (!format->is_string()) fail(Code::bad_argument, "template: strftime_now() of a %s", format->type_name());
  if (format->string().size() > 1000) fail(Code::bad_argument, "template: strftime_now() of a long text");
  const std::tm time = time_for(in);
  char text[16384];
  const std::string closed = format->string() + "|";  // so that an empty result is not mistaken for a long one
  const size_t size = std::strftime(text, sizeof text, closed.c_str(), &time);
  if (size == 0) fail(Code::bad_argument, "template: strftime_now() makes a text that is too long");
  return in.text(std::string(text, size - 1));
}

Value lipsum(Interpreter&, const Value&, Args&) {
  fail(Code::unsupported, "template: lipsum() is not supported: its text is random");
}

constexpr FunctionRow kGlobals[] = {
    {"range", make_range, "/start /stop? /step?"},
    {"namespace", make_namespace, "/from? **"},
    {"cycler", make_cycler, "*"},
    {"joiner", make_joiner, "sep?"},
    {"raise_exception", raise_exception, "message"},
    {"strftime_now", strftime_now, "format"},
    {"lipsum", lipsum, "* **"},
};

}  // namespace

void add_globals(std::unordered_map<std::string, Value>& to) {
  for (const FunctionRow& row : kGlobals) to.emplace(row.name, Value::make<Function>(row));
  to.emplace("dict", Value::make<DictType>());
}

}  // namespace loam::jinja
