// Values with behaviour.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

class Function final : public Object {
 public:
  Function(Apply apply, Value self) : apply_(apply), self_(std::move(self)) {}
  const char* type() const override { return "function"; }
  bool callable() const override { return true; }
  Value call(Interpreter& in, Args& args) override { return apply_(in, self_, args); }

 private:
  Apply apply_;
  Value self_;  // of a method
};

class Namespace final : public Object {
 public:
  const char* type() const override { return "Namespace"; }
  bool attribute(std::string_view name, Value& out) override;
  bool set_attribute(std::string_view name, const Value& value) override;
  void clear() { values_.clear(); }

 private:
  std::vector<std::pair<std::string, Value>> values_;
};

class Macro final : public Object {
 public:
  Macro(std::string name, const Stmt& s, const Body& body, Scope* scope)
      : name_(std::move(name)), stmt_(s), body_(body), scope_(scope) {}
  const char* type() const override { return "Macro"; }
  bool callable() const override { return true; }
  bool attribute(std::string_view name, Value& out) override;
  Value call(Interpreter& in, Args& args) override { return in.call_body(name_, stmt_, body_, scope_, args); }

 private:
  std::string name_;
  const Stmt& stmt_;
  const Body& body_;
  Scope* scope_;
};

// The variable `loop`.
class Loop final : public Object, public std::enable_shared_from_this<Loop> {
 public:
  Loop(const Stmt& s, Scope* scope, const std::vector<Value>& items, int level)
      : stmt_(s), scope_(scope), items_(items), level_(level) {}
  const char* type() const override { return "LoopContext"; }
  bool attribute(std::string_view name, Value& out) override;
  bool callable() const override { return true; }
  Value call(Interpreter& in, Args& args) override;
  void move_to(size_t index) { index_ = int64_t(index); }
  int64_t index() const { return index_; }
  // Whether the values differ from those of the last call.
  bool changed(const Value& values);
  void finish() { last_ = Value(); }

 private:
  const Stmt& stmt_;
  Scope* scope_;
  std::vector<Value> items_;
  int level_;
  int64_t index_ = 0;
  Value last_;
};

}  // namespace loam::jinja
