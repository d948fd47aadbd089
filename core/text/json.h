// JSON documents from strangers and for them. The library that reads and writes them (nlohmann's) is compiled once, in
// json.cpp: its templates would cost every file seconds.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/error.h"

namespace loam {

constexpr int kJsonDepth = 100;

// A value is not what was asked for. with_json_errors tells where.
struct JsonError : Error {
  using Error::Error;
};

// null, true or false, a number, text, an array, or an object whose keys keep their order.
// Made of pairs, {{"key", value}, ...} is an object; an array is Json::array({a, b}).
class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json();
  Json(std::nullptr_t) : Json() {}
  Json(bool value);
  Json(double value);
  template <std::integral T>
  Json(T value) : Json(value < 0 ? Number(int64_t(value)) : Number(uint64_t(value))) {}
  Json(const char* text) : Json(std::string(text)) {}
  Json(std::string_view text) : Json(std::string(text)) {}
  Json(std::string text);
  Json(Array values);
  Json(Object members);
  template <class T>
  Json(const std::vector<T>& values) : Json(Array(values.begin(), values.end())) {}
  Json(std::initializer_list<Member> members);
  static Json array(std::initializer_list<Json> values = {}) { return Array(values); }
  static Json object() { return std::initializer_list<Member>(); }
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  bool is_null() const { return value_.index() == 0; }
  bool is_boolean() const { return value_.index() == 1; }
  bool is_number_integer() const { return value_.index() == 2 || value_.index() == 3; }
  bool is_number_unsigned() const { return value_.index() == 3; }  // not below 0
  bool is_number() const { return is_number_integer() || value_.index() == 4; }
  bool is_string() const { return value_.index() == 5; }
  bool is_array() const { return value_.index() == 6; }
  bool is_object() const { return value_.index() == 7; }
  const char* type_name() const;

  // JsonError where the value is of another type, or a number that T does not hold.
  template <class T>
  T get() const {
    if constexpr (std::is_same_v<T, bool>) {
      return boolean();
    } else if constexpr (std::is_integral_v<T>) {
      return T(integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    } else if constexpr (std::is_floating_point_v<T>) {
      return T(number());
    } else {
      return T(text());
    }
  }
  const std::string& text() const;
  template <class T>
  std::vector<T> list() const {
    std::vector<T> out;
    for (const Json& value : *this) out.push_back(value.get<T>());
    return out;
  }

  // Of an array or object; 0 for null, 1 for anything else.
  size_t size() const;
  bool empty() const { return size() == 0; }

  // Arrays. Null has no elements; JsonError for anything else.
  const Json* begin() const;
  const Json* end() const;
  const Json& operator[](size_t index) const;
  Json& back();
  void push_back(Json value);  // null becomes an array

  // Objects. JsonError where this is none, but for find and contains.
  const Object& items() const;
  const Json* find(std::string_view key) const;  // null: not there, or this is no object
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const Json& operator[](std::string_view key) const;  // JsonError where there is no such key
  Json& operator[](std::string_view key);              // added where it is missing; null becomes an object
  void update(std::initializer_list<Member> members);
  void erase(std::string_view key);
  // What stands under the key, or `otherwise` where nothing does.
  template <class T>
  T value(std::string_view key, T otherwise) const {
    if (!is_object()) fail_type("an object");
    const Json* found = find(key);
    if constexpr (std::is_same_v<T, Json>)
      return found ? *found : std::move(otherwise);
    else
      return found ? found->get<T>() : std::move(otherwise);
  }
  std::string value(std::string_view key, const char* otherwise) const { return value(key, std::string(otherwise)); }

  // indent < 0: one line. JsonError for text that is not UTF-8; dump_any puts U+FFFD there.
  std::string dump(int indent = -1) const;
  std::string dump_any(int indent = -1) const;

  friend bool operator==(const Json& a, const Json& b);  // numbers by value, objects in their order

 private:
  friend class JsonBuilder;
  using Number = std::variant<int64_t, uint64_t>;
  explicit Json(Number value);
  bool boolean() const;
  double number() const;
  uint64_t integer(int64_t least, uint64_t most) const;  // two's complement where it is negative
  [[noreturn]] void fail_type(const char* expected) const;

  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string key;
  Json value;
  bool operator==(const Member& other) const;
};

// Puts a document together from the events of a parser. Errors name `what`.
class JsonBuilder {
 public:
  JsonBuilder(Json& root, const char* what) : root_(root), what_(what) {}
  void key(std::string&& key) { key_ = std::move(key); }
  const std::string& key() const { return key_; }  // the last one
  void add(Json&& value) { place(std::move(value)); }
  void open(Json&& empty);  // an array or object, until close(); at most kJsonDepth of them
  void close();
  size_t depth() const { return open_.size(); }
  [[noreturn]] void fail_parse(const std::exception& library) const;

 private:
  Json* place(Json&& value);

  Json& root_;
  const char* what_;
  std::vector<Json*> open_;
  std::string key_;
};

// Error{bad_file} names `what`. Of equal keys the last value counts, as in Python.
Json parse_json(std::string_view text, const char* what);

// Runs `work`; a value of an unexpected type inside becomes Error{bad_file} that names `what`.
template <class Work>
auto with_json_errors(const char* what, Work work) {
  try {
    return work();
  } catch (const JsonError& e) {
    fail(Code::bad_file, "%s: %.300s", what, e.what());
  }
}

}  // namespace loam
