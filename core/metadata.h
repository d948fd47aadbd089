// Flat typed key/values: what a model file says about itself beside its tensors. No nesting.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"

namespace loam {

using MetaValue = std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

class Metadata {
 public:
  void set(std::string key, MetaValue value) { values_[std::move(key)] = std::move(value); }
  bool has(std::string_view key) const { return values_.find(key) != values_.end(); }
  const MetaValue* find(std::string_view key) const {
    const auto it = values_.find(key);
    return it == values_.end() ? nullptr : &it->second;
  }
  // The value under key; fails where it is missing or of another type.
  template <class T>
  const T& get(std::string_view key) const {
    const MetaValue* v = find(key);
    if (!v) fail(Code::bad_file, "metadata has no key '%.*s'", int(key.size()), key.data());
    const T* typed = std::get_if<T>(v);
    if (!typed) fail(Code::bad_file, "metadata key '%.*s' has an unexpected type", int(key.size()), key.data());
    return *typed;
  }
  template <class T>
  T get_or(std::string_view key, T otherwise) const {
    return has(key) ? get<T>(key) : otherwise;
  }
  const std::map<std::string, MetaValue, std::less<>>& values() const { return values_; }
  bool operator==(const Metadata&) const = default;

 private:
  std::map<std::string, MetaValue, std::less<>> values_;  // sorted, so that a file is the same on every machine
};

}  // namespace loam
