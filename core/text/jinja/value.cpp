// Making, comparing and walking values.
#include "core/text/jinja/value.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

constexpr int kMostDepth = 120;
constexpr int64_t kMostWeight = 1 << 22;

int checked_depth(int depth) {
  if (depth > kMostDepth) fail(Code::bad_argument, "template: a value is nested deeper than %d levels", kMostDepth);
  return depth;
}

int64_t checked_weight(int64_t weight) {
  if (weight > kMostWeight) fail(Code::bad_argument, "template: a value has become too large");
  return weight;
}

template <class Json>
Value from_parsed(const Json& json) {
  if (json.is_null()) return None{};
  if (json.is_boolean()) return json.template get<bool>();
  if (json.is_number_unsigned() && json.template get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max())) {
    return json.template get<double>();
  }
  if (json.is_number_integer()) return json.template get<int64_t>();
  if (json.is_number()) return json.template get<double>();
  if (json.is_string()) return json.template get<std::string>();
  if (json.is_array()) {
    std::vector<Value> items;
    for (const auto& item : json) items.push_back(from_parsed(item));
    return Value::list(std::move(items));
  }
  std::vector<std::pair<Value, Value>> items;
  for (auto it = json.begin(); it != json.end(); ++it) items.emplace_back(it.key(), from_parsed(it.value()));
  return Value::dict(std::move(items));
}

bool equal_lists(const std::vector<Value>& a, const std::vector<Value>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), equal);
}

bool equal_dicts(const Value& a, const Value& b) {
  if (a.pairs().size() != b.pairs().size()) return false;
  return std::all_of(a.pairs().begin(), a.pairs().end(), [&](const auto& pair) {
    const Value* other = b.find(pair.first);
    return other && equal(pair.second, *other);
  });
}

}  // namespace

Value Object::call(Interpreter&, Args&) { fail(Code::bad_argument, "template: a %s cannot be called", type()); }

Value Value::undefined(std::string_view name) {
  Value v;
  v.data_ = Undefined{std::make_shared<const std::string>(name)};
  return v;
}

Value Value::list(std::vector<Value> items, bool tuple) {
  int depth = 0;
  int64_t weight = 1;
  for (const Value& item : items) {
    depth = std::max(depth, item.depth());
    weight += item.weight();
  }
  Value v;
  v.data_ =
      std::make_shared<const List>(List{std::move(items), tuple, checked_depth(depth + 1), checked_weight(weight)});
  return v;
}

Value Value::dict(std::vector<std::pair<Value, Value>> items) {
  int depth = 0;
  int64_t weight = 1;
  for (const auto& [key, value] : items) {
    depth = std::max({depth, key.depth(), value.depth()});
    weight += key.weight() + value.weight();
  }
  Value v;
  v.data_ = std::make_shared<const Dict>(Dict{std::move(items), checked_depth(depth + 1), checked_weight(weight)});
  return v;
}

bool Value::is_tuple() const { return is_list() && std::get<ListPtr>(data_)->tuple; }
const std::vector<Value>& Value::items() const { return std::get<ListPtr>(data_)->items; }
const std::vector<std::pair<Value, Value>>& Value::pairs() const { return std::get<DictPtr>(data_)->items; }

std::string Value::undefined_name() const {
  const auto& name = std::get<Undefined>(data_).name;
  return name ? *name : "value";
}

int Value::depth() const {
  return is_list() ? std::get<ListPtr>(data_)->depth : is_dict() ? std::get<DictPtr>(data_)->depth : 0;
}

int64_t Value::weight() const {
  if (is_list()) return std::get<ListPtr>(data_)->weight;
  if (is_dict()) return std::get<DictPtr>(data_)->weight;
  return is_string() ? 1 + int64_t(string().size() / 16) : 1;
}

const Value* Value::find(const Value& key) const {
  for (const auto& pair : pairs()) {
    if (equal(pair.first, key)) return &pair.second;
  }
  return nullptr;
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_real()) return real() != 0;
  if (is_integral()) return integer() != 0;
  if (is_string()) return !string().empty();
  if (is_list()) return !items().empty();
  if (is_dict()) return !pairs().empty();
  return true;
}

const char* Value::type_name() const {
  constexpr const char* kNames[] = {"Undefined", "NoneType", "bool", "int", "float", "str", "list", "dict"};
  if (is_object()) return object()->type();
  return is_tuple() ? "tuple" : kNames[data_.index()];
}

const Value* Args::find(size_t place, std::string_view name) const {
  if (place < positional.size()) return &positional[place];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t Args::integer(size_t place, std::string_view name, int64_t otherwise) const {
  const Value* v = find(place, name);
  if (!v || v->is_none()) return otherwise;
  if (!v->is_integral()) fail(Code::bad_argument, "template: an integer is needed, not a %s", v->type_name());
  return v->integer();
}

std::string Args::string(size_t place, std::string_view name, std::string_view otherwise) const {
  const Value* v = find(place, name);
  return v && !v->is_none() ? v->text() : std::string(otherwise);
}

bool Args::boolean(size_t place, std::string_view name, bool otherwise) const {
  const Value* v = find(place, name);
  return v ? v->truth() : otherwise;
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_real() || b.is_real() ? a.real() == b.real() : a.integer() == b.integer();
  }
  if (a.is_string() && b.is_string()) return a.string() == b.string();
  if (a.is_list() && b.is_list()) return a.is_tuple() == b.is_tuple() && equal_lists(a.items(), b.items());
  if (a.is_dict() && b.is_dict()) return equal_dicts(a, b);
  if (a.is_object() && b.is_object()) return a.object() == b.object();
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_real() || b.is_real() ? a.real() < b.real() : a.integer() < b.integer();
  }
  if (a.is_string() && b.is_string()) return a.string() < b.string();  // order of bytes is order of code points
  if (a.is_list() && b.is_list() && a.is_tuple() == b.is_tuple()) {
    for (size_t i = 0; i < a.items().size() && i < b.items().size(); ++i) {
      if (!equal(a.items()[i], b.items()[i])) return less(a.items()[i], b.items()[i]);
    }
    return a.items().size() < b.items().size();
  }
  fail(Code::bad_argument, "template: '<' between a %s and a %s", a.type_name(), b.type_name());
}

void check_hashable(const Value& v) {
  if (v.is_dict() || (v.is_list() && !v.is_tuple())) {
    fail(Code::bad_argument, "template: a %s cannot be a key", v.type_name());
  }
  for (size_t i = 0; v.is_tuple() && i < v.items().size(); ++i) check_hashable(v.items()[i]);
}

bool contains(const Value& container, const Value& item) {
  if (container.is_string()) {
    if (!item.is_string()) fail(Code::bad_argument, "template: a %s cannot be in a str", item.type_name());
    return container.string().find(item.string()) != std::string::npos;
  }
  if (container.is_list()) {
    return std::any_of(container.items().begin(), container.items().end(),
                       [&](const Value& v) { return equal(v, item); });
  }
  if (container.is_dict()) {
    check_hashable(item);
    return container.find(item) != nullptr;
  }
  if (container.is_undefined()) return false;
  fail(Code::bad_argument, "template: 'in' needs a container, not a %s", container.type_name());
}

std::vector<std::string_view> text_characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    const uint32_t bytes = decode_utf8(text, at).bytes;
    out.push_back(text.substr(at, bytes));
    at += bytes;
  }
  return out;
}

int64_t text_length(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xc0) != 0x80; });
}

Value from_json(std::string_view text) {
  const auto json = parse_json<nlohmann::ordered_json>(text, "the template's input");
  return with_json_errors("the template's input", [&] { return from_parsed(json); });
}

}  // namespace loam::jinja
