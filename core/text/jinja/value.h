// Values of the Jinja evaluator: Python's, as far as templates see them. Immutable but for namespaces and iterators.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/jinja/meter.h"

namespace loam::jinja {

class Interpreter;
class Value;
struct Text;
struct List;
struct Dict;
struct Args;

struct Undefined {
  std::shared_ptr<const std::string> what;  // for the message when it is used; may be null
};
struct None {};

// Things with behaviour: functions, macros, namespaces, ranges, iterators, loop variables.
class Object {
 public:
  virtual ~Object() = default;
  virtual const char* type() const = 0;
  // Sets `out` and returns true where the attribute exists.
  virtual bool attribute(std::string_view, Value&) { return false; }
  virtual bool set_attribute(std::string_view, const Value&) { return false; }
  virtual bool callable() const { return false; }
  virtual Value call(Interpreter& in, Args& args);
  virtual int64_t length(Interpreter&) const { return -1; }                        // -1: it has none
  virtual bool item(int64_t, Value&) const { return false; }                       // by position, 0 <= i < length
  virtual bool indexable() const { return false; }                                 // item() is open to templates
  virtual std::shared_ptr<Object> iterator(bool /*reversed*/) { return nullptr; }  // an Iterator; null: none
  virtual bool equals(const Object& other) const { return this == &other; }
  virtual std::string repr() const;
  virtual void clear() {}                  // lets go of other values
  virtual int depth() const { return 0; }  // of what it holds
};

class Value {
 public:
  Value() = default;  // undefined
  Value(None) : data_(None{}) {}
  Value(bool b) : data_(b) {}
  Value(int64_t i) : data_(i) {}
  Value(double d) : data_(d) {}
  Value(std::string s, bool markup = false);
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(std::shared_ptr<Object> o);  // fails where it is too deep
  template <class T, class... Args>
  static Value make(Args&&... args) {
    return Value(std::shared_ptr<Object>(std::make_shared<T>(std::forward<Args>(args)...)));
  }
  static Value undefined(std::string_view what);       // the whole message
  static Value undefined_name(std::string_view name);  // "'name' is undefined"
  // Fail where the value becomes too deep or too large to walk.
  static Value list(std::vector<Value> items, bool tuple = false);
  static Value group(Value key, Value items);                     // a tuple with the attributes grouper and list
  static Value dict(std::vector<std::pair<Value, Value>> items);  // keys are unique

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }  // not bool
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_integral() const { return is_int() || is_bool(); }
  bool is_number() const { return is_integral() || is_real(); }
  bool is_string() const { return std::holds_alternative<TextPtr>(data_); }
  bool is_markup() const;
  bool is_list() const { return std::holds_alternative<ListPtr>(data_); }  // tuples too
  bool is_tuple() const;
  bool is_group() const;
  bool is_dict() const { return std::holds_alternative<DictPtr>(data_); }
  bool is_object() const { return std::holds_alternative<ObjectPtr>(data_); }

  // Only for the matching kind (numbers convert).
  int64_t integer() const { return is_bool() ? int64_t(std::get<bool>(data_)) : std::get<int64_t>(data_); }
  double real() const { return is_real() ? std::get<double>(data_) : double(integer()); }
  const std::string& string() const;
  bool is_ascii() const;  // of a string
  const std::vector<Value>& items() const;
  const std::vector<std::pair<Value, Value>>& pairs() const;
  const std::shared_ptr<Object>& object() const { return std::get<ObjectPtr>(data_); }
  template <class T>
  T* as() const {
    return is_object() ? dynamic_cast<T*>(object().get()) : nullptr;
  }
  std::string undefined_message() const;
  int depth() const;
  int64_t weight() const;               // how much there is to walk, shared parts counted as often as they appear
  bool same(const Value& other) const;  // the same object (Python's "is"), as far as that can be told

  const Value* find(const Value& key) const;  // in a dict; null: not there
  const char* type_name() const;              // Python's
  std::string text() const;                   // str()
  std::string repr() const;

 private:
  using TextPtr = std::shared_ptr<const Text>;
  using ListPtr = std::shared_ptr<const List>;
  using DictPtr = std::shared_ptr<const Dict>;
  using ObjectPtr = std::shared_ptr<Object>;
  std::variant<Undefined, None, bool, int64_t, double, TextPtr, ListPtr, DictPtr, ObjectPtr> data_;
};

using Pairs = std::vector<std::pair<Value, Value>>;

struct Text {
  std::string text;
  bool markup, ascii;
  Charge charge;
};
enum class ListKind : uint8_t { list, tuple, group };
struct List {
  std::vector<Value> items;
  ListKind kind;
  int depth;
  int64_t weight;
  Charge charge;
};
struct Dict {
  Pairs items;  // in order of insertion
  int depth;
  int64_t weight;
  Charge charge;
  mutable std::unordered_multimap<uint64_t, uint32_t> places;  // of large ones, by hash; made at the first look
};

// A dict under construction; a key that is there already keeps its place.
class DictMaker {
 public:
  void put(const Value& key, Value value);  // fails where the key cannot be one
  Value take() { return Value::dict(std::move(items_)); }

 private:
  Pairs items_;
  std::unordered_multimap<uint64_t, uint32_t> places_;
};

struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The argument at a place or of a name; null: not given.
  const Value* find(size_t place, std::string_view name) const;
  const Value* given(size_t place, std::string_view name) const;  // null for None too
  int64_t integer(size_t place, std::string_view name, int64_t otherwise) const;
  std::string text(size_t place, std::string_view name, std::string_view otherwise) const;  // str() of it
};

[[noreturn]] void fail_undefined(const Value& v);  // with its message
bool equal(const Value& a, const Value& b);
// a < b as Python orders them; an Error where it would not.
bool less(const Value& a, const Value& b);
void check_hashable(const Value& v);  // lists and dicts cannot be keys
uint64_t hash_of(const Value& v);

// Text by code points, as Python indexes it.
int64_t text_length(std::string_view text);
std::vector<std::string_view> text_characters(std::string_view text);
size_t text_offset(std::string_view text, int64_t characters);  // bytes of the first characters
std::string real_text(double value);

struct JsonStyle {
  std::string indent;  // of one level
  bool lines = false;
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false, ensure_ascii = false;
};
std::string to_json(const Value& value, const JsonStyle& style);
// From JSON text; the order of keys is kept.
Value from_json(std::string_view text, const char* what);

}  // namespace loam::jinja
