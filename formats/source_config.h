// A source's configuration as flat key/values, read by the architecture files. It remembers what was read: a key that
// nobody read or ruled out may change the mathematics, so it is an error, never ignored.
#pragma once
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "core/metadata.h"

namespace loam {

class SourceConfig {
 public:
  // `where` names the source in messages.
  SourceConfig(Metadata values, std::string where) : values_(std::move(values)), where_(std::move(where)) {}
  // Keys "<prefix>x" of GGUF metadata, as "x".
  static SourceConfig from_gguf(const Metadata& metadata, const std::string& prefix, std::string where);
  // config.json: nested keys are joined with dots, nulls and empty arrays are left out.
  static SourceConfig from_json(std::string_view json, std::string where);

  const std::string& where() const { return where_; }
  bool has(std::string_view key) const { return values_.has(key); }
  void set(std::string key, MetaValue value) { values_.set(std::move(key), std::move(value)); }

  // Read a value; without `otherwise` a missing key is an error. Numbers accept integers.
  int64_t integer(std::string_view key);
  int64_t integer(std::string_view key, int64_t otherwise);
  double number(std::string_view key);
  double number(std::string_view key, double otherwise);
  bool flag(std::string_view key, bool otherwise);
  std::string text(std::string_view key, std::string otherwise);
  std::vector<std::string> texts(std::string_view key);  // empty: not there
  std::vector<double> numbers(std::string_view key);     // the same

  // These keys say nothing about the mathematics; "x.*" means all keys that begin with "x.".
  void ignore(std::initializer_list<std::string_view> keys);
  // Fails with Error{unsupported} where a key is left that has a value other than false, 0 or empty.
  void finish() const;
  [[noreturn]] void unsupported(std::string_view key, const std::string& why) const;

 private:
  const MetaValue* read(std::string_view key);
  [[noreturn]] void wrong(std::string_view key, const char* expected) const;

  Metadata values_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

std::string meta_text(const MetaValue& value);  // for people, cut off when long

}  // namespace loam
