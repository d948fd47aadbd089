// Values with behaviour.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

// A bound method or a function.
class Function final : public Object {
 public:
  explicit Function(const FunctionRow& row, Value self = {}) : row_(row), self_(std::move(self)) {}
  const char* type() const override { return "builtin_function_or_method"; }
  bool callable() const override { return true; }
  Value call(Interpreter& in, Args& args) override { return apply_row(in, row_, self_, args); }
  int depth() const override { return self_.depth() + 1; }

 private:
  const FunctionRow& row_;
  Value self_;
};

class Namespace final : public Object {
 public:
  const char* type() const override { return "Namespace"; }
  bool attribute(std::string_view name, Value& out) override;
  bool set_attribute(std::string_view name, const Value& value) override;
  void clear() override { values_.clear(); }
  std::string repr() const override;

 private:
  std::vector<std::pair<std::string, Value>> values_;
  Charge charge_{300};
};

class Macro final : public Object {
 public:
  Macro(const Stmt& s, std::shared_ptr<Activation> outer) : stmt_(s), outer_(std::move(outer)) {}
  const char* type() const override { return "Macro"; }
  bool callable() const override { return true; }
  bool attribute(std::string_view name, Value& out) override;
  Value call(Interpreter& in, Args& args) override { return in.call_macro(stmt_, outer_, args); }
  std::string repr() const override;

 private:
  const Stmt& stmt_;
  std::shared_ptr<Activation> outer_;
};

// What a for loop walks: one value after the other, once.
class Iterator : public Object, public std::enable_shared_from_this<Iterator> {
 public:
  virtual bool next(Interpreter& in, Value& out) = 0;  // false: no more
  const char* type() const override { return "generator"; }
  std::shared_ptr<Object> iterator(bool reversed) override { return reversed ? nullptr : shared_from_this(); }
};

class Generator final : public Iterator {
 public:
  using Next = std::function<bool(Interpreter&, Value&)>;
  Generator(Next next, int depth) : next_(std::move(next)), depth_(depth) {}
  bool next(Interpreter& in, Value& out) override;
  void clear() override { next_ = nullptr; }
  int depth() const override { return depth_; }

 private:
  Next next_;
  int depth_;
  bool running_ = false;
};
Value make_generator(const Value& source, Generator::Next next);  // source: what it holds

class Range final : public Object, public std::enable_shared_from_this<Range> {
 public:
  Range(int64_t start, int64_t stop, int64_t by) : start_(start), stop_(stop), by_(by) {}
  const char* type() const override { return "range"; }
  int64_t length(Interpreter&) const override { return size(); }
  int64_t size() const;
  bool item(int64_t i, Value& out) const override;
  bool indexable() const override { return true; }
  std::shared_ptr<Object> iterator(bool reversed) override;
  bool equals(const Object& other) const override;
  std::string repr() const override;
  int64_t start() const { return start_; }
  int64_t by() const { return by_; }
  bool attribute(std::string_view name, Value& out) override;

 private:
  int64_t start_, stop_, by_;
};

// dict.keys(), .values(), .items()
class DictView final : public Object {
 public:
  enum Kind { keys, values, items };
  DictView(Value dict, Kind kind) : dict_(std::move(dict)), kind_(kind) {}
  const char* type() const override;
  int64_t length(Interpreter&) const override { return int64_t(dict_.pairs().size()); }
  bool item(int64_t i, Value& out) const override;
  std::shared_ptr<Object> iterator(bool reversed) override;
  bool equals(const Object& other) const override;
  std::string repr() const override;
  int depth() const override { return dict_.depth() + 1; }

 private:
  Value dict_;
  Kind kind_;
};

// The variable `loop`.
class Loop final : public Object, public std::enable_shared_from_this<Loop> {
 public:
  Loop(Interpreter& in, const Stmt& s, std::shared_ptr<Activation> outer, Value items,
       std::shared_ptr<Iterator> iterator, int level)
      : in_(in),
        stmt_(s),
        outer_(std::move(outer)),
        items_(std::move(items)),
        iterator_(std::move(iterator)),
        level_(level) {}
  const char* type() const override { return "LoopContext"; }
  bool attribute(std::string_view name, Value& out) override;
  bool callable() const override { return true; }
  Value call(Interpreter& in, Args& args) override;
  bool next(Interpreter& in, Value& out);
  int64_t length(Interpreter& in) const override { return const_cast<Loop*>(this)->count(in); }
  std::string repr() const override { return "<LoopContext " + std::to_string(index_ + 1) + ">"; }
  int64_t index() const { return index_; }
  // Whether the values differ from those of the last call.
  bool changed(Interpreter& in, const Value& values);
  void clear() override { last_changed_.reset(); }
  int depth() const override { return items_.depth() + 1; }

 private:
  int64_t count(Interpreter& in);
  const std::optional<Value>& peek(Interpreter& in);
  Interpreter& in_;
  const Stmt& stmt_;
  std::shared_ptr<Activation> outer_;  // of recursive ones
  Value items_;
  std::shared_ptr<Iterator> iterator_;
  int level_;
  int64_t index_ = -1, count_ = -1;
  std::optional<Value> after_, current_, before_, last_changed_;
  Charge charge_{300};
};

}  // namespace loam::jinja
