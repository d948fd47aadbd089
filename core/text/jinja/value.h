// Values of the Jinja evaluator: Python's, as far as templates see them. Immutable but for namespaces.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace loam::jinja {

class Interpreter;
class Value;
struct List;
struct Dict;
struct Args;

struct Undefined {
  std::shared_ptr<const std::string> name;  // for the message when it is used; may be null
};
struct None {};

// Things with behaviour: functions, macros, namespaces, loop variables.
class Object {
 public:
  virtual ~Object() = default;
  virtual const char* type() const = 0;
  // Sets `out` and returns true where the attribute exists.
  virtual bool attribute(std::string_view, Value&) { return false; }
  virtual bool set_attribute(std::string_view, const Value&) { return false; }
  virtual bool callable() const { return false; }
  virtual Value call(Interpreter& in, Args& args);
};

class Value {
 public:
  Value() = default;  // undefined
  Value(None) : data_(None{}) {}
  Value(bool b) : data_(b) {}
  Value(int64_t i) : data_(i) {}
  Value(double d) : data_(d) {}
  Value(std::string s) : data_(std::make_shared<const std::string>(std::move(s))) {}
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(std::shared_ptr<Object> o) : data_(std::move(o)) {}
  static Value undefined(std::string_view name);
  // Fail where the value becomes too deep or too large to walk.
  static Value list(std::vector<Value> items, bool tuple = false);
  static Value dict(std::vector<std::pair<Value, Value>> items);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }  // not bool
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_integral() const { return is_int() || is_bool(); }
  bool is_number() const { return is_integral() || is_real(); }
  bool is_string() const { return std::holds_alternative<StringPtr>(data_); }
  bool is_list() const { return std::holds_alternative<ListPtr>(data_); }  // tuples too
  bool is_tuple() const;
  bool is_dict() const { return std::holds_alternative<DictPtr>(data_); }
  bool is_object() const { return std::holds_alternative<ObjectPtr>(data_); }

  // Only for the matching kind (numbers convert).
  int64_t integer() const { return is_bool() ? int64_t(std::get<bool>(data_)) : std::get<int64_t>(data_); }
  double real() const { return is_real() ? std::get<double>(data_) : double(integer()); }
  const std::string& string() const { return *std::get<StringPtr>(data_); }
  const std::vector<Value>& items() const;
  const std::vector<std::pair<Value, Value>>& pairs() const;
  const std::shared_ptr<Object>& object() const { return std::get<ObjectPtr>(data_); }
  std::string undefined_name() const;
  int depth() const;
  int64_t weight() const;  // how much there is to walk, shared parts counted as often as they appear

  const Value* find(const Value& key) const;  // in a dict; null: not there
  bool truth() const;
  const char* type_name() const;  // Python's
  std::string text() const;       // str()
  std::string repr() const;

 private:
  using StringPtr = std::shared_ptr<const std::string>;
  using ListPtr = std::shared_ptr<const List>;
  using DictPtr = std::shared_ptr<const Dict>;
  using ObjectPtr = std::shared_ptr<Object>;
  std::variant<Undefined, None, bool, int64_t, double, StringPtr, ListPtr, DictPtr, ObjectPtr> data_;
};

struct List {
  std::vector<Value> items;
  bool tuple;
  int depth;
  int64_t weight;
};
struct Dict {
  std::vector<std::pair<Value, Value>> items;  // in order of insertion
  int depth;
  int64_t weight;
};
struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The argument at a place or of a name; null: not given.
  const Value* find(size_t place, std::string_view name) const;
  int64_t integer(size_t place, std::string_view name, int64_t otherwise) const;
  std::string string(size_t place, std::string_view name, std::string_view otherwise) const;
  bool boolean(size_t place, std::string_view name, bool otherwise) const;
};

bool equal(const Value& a, const Value& b);
// a < b as Python orders them; an Error where it would not.
bool less(const Value& a, const Value& b);
void check_hashable(const Value& v);  // lists and dicts cannot be keys
bool contains(const Value& container, const Value& item);

// Text by code points, as Python indexes it.
int64_t text_length(std::string_view text);
std::vector<std::string_view> text_characters(std::string_view text);
std::string real_text(double value);

struct JsonStyle {
  int64_t indent = -1;  // -1: one line
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false, ensure_ascii = false;
};
std::string to_json(const Value& value, const JsonStyle& style);
// From JSON text; the order of keys is kept.
Value from_json(std::string_view text);

}  // namespace loam::jinja
