#include "formats/source_config.h"

#include <algorithm>

#include "core/text/json.h"

namespace loam {
namespace {

MetaValue array_value(const Json& j) {
  const auto all = [&](auto test) { return std::all_of(j.begin(), j.end(), test); };
  if (all([](const Json& x) { return x.is_number_integer(); })) return j.list<int64_t>();
  if (all([](const Json& x) { return x.is_number(); })) return j.list<double>();
  if (all([](const Json& x) { return x.is_string(); })) return j.list<std::string>();
  return j.dump_any();
}

void flatten(const Json& j, const std::string& prefix, int depth, Metadata& out) {
  for (const auto& [key, value] : j.items()) {
    const std::string name = prefix + key;
    if (value.is_object() && depth < 8)
      flatten(value, name + ".", depth + 1, out);
    else if (value.is_boolean())
      out.set(name, value.get<bool>());
    else if (value.is_number_integer())
      out.set(name, value.get<int64_t>());
    else if (value.is_number())
      out.set(name, value.get<double>());
    else if (value.is_string())
      out.set(name, value.get<std::string>());
    else if (value.is_array() && !value.empty())
      out.set(name, array_value(value));
    else if (value.is_object())
      out.set(name, value.dump());
  }
}

// A value that switches nothing on.
struct IsNeutral {
  bool operator()(bool x) const { return !x; }
  bool operator()(int64_t x) const { return x == 0; }
  bool operator()(double x) const { return x == 0; }
  template <class T>
  bool operator()(const T& x) const {
    return x.empty();
  }
};

struct ToText {
  std::string operator()(bool x) const { return x ? "true" : "false"; }
  std::string operator()(int64_t x) const { return std::to_string(x); }
  std::string operator()(double x) const {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", x);
    return text;
  }
  std::string operator()(const std::string& x) const {
    return '"' + x.substr(0, 60).append(x.size() > 60 ? "...\"" : "\"");
  }
  template <class T>
  std::string operator()(const std::vector<T>& x) const {
    std::string out = "[";
    for (size_t i = 0; i < x.size() && i < 6; ++i) out += (i ? ", " : "") + (*this)(T(x[i]));
    return out + (x.size() > 6 ? ", ... " + std::to_string(x.size()) + " values]" : "]");
  }
};

}  // namespace

std::string meta_text(const MetaValue& value) { return std::visit(ToText{}, value); }

SourceConfig SourceConfig::from_gguf(const Metadata& metadata, const std::string& prefix, std::string where) {
  Metadata values;
  for (const auto& [key, value] : metadata.values()) {
    if (key.starts_with(prefix)) values.set(key.substr(prefix.size()), value);
  }
  return {std::move(values), std::move(where)};
}

SourceConfig SourceConfig::from_json(std::string_view json, std::string where) {
  const Json j = parse_json(json, where.c_str());
  if (!j.is_object()) fail(Code::bad_file, "%s: not a JSON object", where.c_str());
  Metadata values;
  flatten(j, "", 0, values);
  return {std::move(values), std::move(where)};
}

void SourceConfig::wrong(std::string_view key, const char* expected) const {
  const MetaValue* v = values_.find(key);
  fail(Code::bad_file, "%s: '%.*s' is %s, expected %s", where_.c_str(), int(key.size()), key.data(),
       v ? meta_text(*v).c_str() : "missing", expected);
}

void SourceConfig::unsupported(std::string_view key, const std::string& why) const {
  const MetaValue* v = values_.find(key);
  fail(Code::unsupported, "%s: '%.*s' is %s: %s", where_.c_str(), int(key.size()), key.data(),
       v ? meta_text(*v).c_str() : "missing", why.c_str());
}

const MetaValue* SourceConfig::read(std::string_view key) {
  known_.emplace(key);
  return values_.find(key);
}

int64_t SourceConfig::integer(std::string_view key) {
  const MetaValue* v = read(key);
  const int64_t* i = v ? std::get_if<int64_t>(v) : nullptr;
  if (!i) wrong(key, "one integer");
  return *i;
}
int64_t SourceConfig::integer(std::string_view key, int64_t otherwise) { return read(key) ? integer(key) : otherwise; }

double SourceConfig::number(std::string_view key) {
  const MetaValue* v = read(key);
  if (v && std::holds_alternative<double>(*v)) return std::get<double>(*v);
  if (v && std::holds_alternative<int64_t>(*v)) return double(std::get<int64_t>(*v));
  wrong(key, "a number");
}
double SourceConfig::number(std::string_view key, double otherwise) { return read(key) ? number(key) : otherwise; }

bool SourceConfig::flag(std::string_view key, bool otherwise) {
  const MetaValue* v = read(key);
  if (!v) return otherwise;
  if (!std::holds_alternative<bool>(*v)) wrong(key, "true or false");
  return std::get<bool>(*v);
}

std::string SourceConfig::text(std::string_view key, std::string otherwise) {
  const MetaValue* v = read(key);
  if (!v) return otherwise;
  if (!std::holds_alternative<std::string>(*v)) wrong(key, "a text");
  return std::get<std::string>(*v);
}

std::vector<std::string> SourceConfig::texts(std::string_view key) {
  const MetaValue* v = read(key);
  if (!v) return {};
  if (!std::holds_alternative<std::vector<std::string>>(*v)) wrong(key, "a list of texts");
  return std::get<std::vector<std::string>>(*v);
}

std::vector<double> SourceConfig::numbers(std::string_view key) {
  const MetaValue* v = read(key);
  if (!v) return {};
  if (const auto* integers = std::get_if<std::vector<int64_t>>(v)) return {integers->begin(), integers->end()};
  if (!std::holds_alternative<std::vector<double>>(*v)) wrong(key, "a list of numbers");
  return std::get<std::vector<double>>(*v);
}

void SourceConfig::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (!key.ends_with(".*")) {
      known_.emplace(key);
      continue;
    }
    for (const auto& [name, value] : values_.values()) {
      if (name.starts_with(key.substr(0, key.size() - 1))) known_.insert(name);
    }
  }
}

void SourceConfig::finish() const {
  for (const auto& [key, value] : values_.values()) {
    if (!known_.contains(key) && !std::visit(IsNeutral{}, value))
      unsupported(key, "Loam does not know this setting, and ignoring it could change the model's answers");
  }
}

}  // namespace loam
