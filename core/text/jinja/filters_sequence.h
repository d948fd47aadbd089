// What `attribute=` of a filter takes from an item: "a.b.0"; the item itself without one.
#pragma once
#include <optional>
#include <vector>

#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

class Getter {
 public:
  // ignore_case: texts in lower case. otherwise: instead of what is not there.
  explicit Getter(Interpreter& in, const Value* attribute, bool ignore_case = false, const Value* otherwise = nullptr);
  Value operator()(Value item) const;

 private:
  Interpreter& in_;
  std::vector<Value> parts_;
  bool ignore_case_;
  std::optional<Value> otherwise_;
};

}  // namespace loam::jinja
