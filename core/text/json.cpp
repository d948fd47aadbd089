// JSON documents: types checked on every access, text in and out by the library.
#include "core/text/json.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace loam {
namespace {

using Library = nlohmann::ordered_json;

// The library's events.
class Handler : public nlohmann::json_sax<Library> {
 public:
  Handler(Json& root, const char* what) : builder_(root, what) {}

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Library::binary_t&) override { return false; }
  bool key(std::string& value) override {
    builder_.key(std::move(value));
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const Library::exception& e) override { builder_.fail_parse(e); }

 private:
  bool add(Json value) {
    builder_.add(std::move(value));
    return true;
  }
  bool open(Json&& empty) {
    builder_.open(std::move(empty));
    return true;
  }
  bool close() {
    builder_.close();
    return true;
  }

  JsonBuilder builder_;
};

Library to_library(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.text();
  if (json.is_array()) {
    Library out = Library::array();
    for (const Json& value : json) out.push_back(to_library(value));
    return out;
  }
  if (json.is_null()) return nullptr;
  Library::object_t members;  // appended: the library would look for each key
  for (const auto& [key, value] : json.items()) members.Container::emplace_back(key, to_library(value));
  return members;
}

std::string dumped(const Json& json, int indent, Library::error_handler_t invalid) {
  try {
    return to_library(json).dump(indent, ' ', false, invalid);
  } catch (const Library::exception& e) {
    throw JsonError(Code::bad_file, e.what());
  }
}

}  // namespace

Json::Json() = default;
Json::Json(bool value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(std::string text) : value_(std::move(text)) {}
Json::Json(Array values) : value_(std::move(values)) {}
Json::Json(Object members) : value_(std::move(members)) {}
Json::Json(std::initializer_list<Member> members) : value_(Object(members)) {}
Json::Json(Number value) {
  std::visit([this](auto v) { value_ = v; }, value);
}
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

const char* Json::type_name() const {
  constexpr const char* kNames[] = {"null",     "a boolean", "a number", "a number",
                                    "a number", "text",      "an array", "an object"};
  return kNames[value_.index()];
}

void Json::fail_type(const char* expected) const {
  throw JsonError(Code::bad_file, std::string("found ") + type_name() + " where " + expected + " was expected");
}

bool Json::boolean() const {
  if (!is_boolean()) fail_type("true or false");
  return *std::get_if<bool>(&value_);
}

const std::string& Json::text() const {
  if (!is_string()) fail_type("text");
  return *std::get_if<std::string>(&value_);
}

double Json::number() const {
  if (const auto* v = std::get_if<int64_t>(&value_)) return double(*v);
  if (const auto* v = std::get_if<uint64_t>(&value_)) return double(*v);
  if (!is_number()) fail_type("a number");
  return *std::get_if<double>(&value_);
}

uint64_t Json::integer(int64_t least, uint64_t most) const {
  const auto fits = [&](auto v) { return v < 0 ? int64_t(v) >= least : uint64_t(v) <= most; };
  if (const auto* v = std::get_if<int64_t>(&value_); v && fits(*v)) return uint64_t(*v);
  if (const auto* v = std::get_if<uint64_t>(&value_); v && fits(*v)) return *v;
  const double* real = std::get_if<double>(&value_);
  if (real && std::trunc(*real) == *real && *real >= -0x1p63 && *real < 0x1p64 && fits(*real))
    return *real < 0 ? uint64_t(int64_t(*real)) : uint64_t(*real);
  if (!is_number()) fail_type("an integer");
  throw JsonError(Code::bad_file, "the number " + dump() + " is not an integer of the expected range");
}

size_t Json::size() const {
  if (const Array* a = std::get_if<Array>(&value_)) return a->size();
  if (const Object* o = std::get_if<Object>(&value_)) return o->size();
  return is_null() ? 0 : 1;
}

const Json* Json::begin() const {
  if (is_null()) return nullptr;
  if (!is_array()) fail_type("an array");
  return std::get_if<Array>(&value_)->data();
}
const Json* Json::end() const { return is_null() ? nullptr : begin() + size(); }

const Json& Json::operator[](size_t index) const {
  if (!is_array() || index >= size()) fail_type("a longer array");
  return begin()[index];
}

Json& Json::back() {
  if (!is_array() || empty()) fail_type("an array with elements");
  return std::get_if<Array>(&value_)->back();
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  if (!is_array()) fail_type("an array");
  std::get_if<Array>(&value_)->push_back(std::move(value));
}

const Json::Object& Json::items() const {
  if (!is_object()) fail_type("an object");
  return *std::get_if<Object>(&value_);
}

const Json* Json::find(std::string_view key) const {
  if (const Object* object = std::get_if<Object>(&value_)) {
    for (const Member& m : *object)
      if (m.key == key) return &m.value;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  if (!is_object()) fail_type("an object");
  const Json* found = find(key);
  if (!found) throw JsonError(Code::bad_file, "there is no '" + std::string(key) + "'");
  return *found;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (!is_object()) fail_type("an object");
  if (const Json* found = find(key)) return const_cast<Json&>(*found);
  return std::get_if<Object>(&value_)->emplace_back(Member{std::string(key), Json()}).value;
}

void Json::update(std::initializer_list<Member> members) {
  for (const Member& m : members) (*this)[m.key] = m.value;
}

void Json::erase(std::string_view key) {
  if (Object* object = std::get_if<Object>(&value_))
    std::erase_if(*object, [&](const Member& m) { return m.key == key; });
}

std::string Json::dump(int indent) const { return dumped(*this, indent, Library::error_handler_t::strict); }
std::string Json::dump_any(int indent) const { return dumped(*this, indent, Library::error_handler_t::replace); }

bool operator==(const Json& a, const Json& b) {
  const bool mixed = a.is_number() && b.is_number() && a.value_.index() != b.value_.index();
  return mixed ? a.number() == b.number() : a.value_ == b.value_;
}
bool Json::Member::operator==(const Member& other) const { return key == other.key && value == other.value; }

void JsonBuilder::fail_parse(const std::exception& library) const {
  const char* text = std::strchr(library.what(), ']');  // behind the library's name for it
  fail(Code::bad_file, "%s is not valid JSON: %.300s", what_, text ? text + 2 : library.what());
}

void JsonBuilder::open(Json&& empty) {
  if (depth() >= size_t(kJsonDepth)) fail(Code::bad_file, "%s is nested deeper than %d levels", what_, kJsonDepth);
  open_.push_back(place(std::move(empty)));
}

Json* JsonBuilder::place(Json&& value) {
  if (open_.empty()) return &(root_ = std::move(value));
  auto& parent = open_.back()->value_;
  if (Json::Array* array = std::get_if<Json::Array>(&parent)) return &array->emplace_back(std::move(value));
  return &std::get_if<Json::Object>(&parent)->emplace_back(Json::Member{key_, std::move(value)}).value;
}

// Equal keys are looked for when an object is complete: at each key it would take the square of their number.
void JsonBuilder::close() {
  if (Json::Object* members = std::get_if<Json::Object>(&open_.back()->value_)) {
    std::vector<Json::Member*> sorted;
    for (Json::Member& m : *members) sorted.push_back(&m);
    std::sort(sorted.begin(), sorted.end(),
              [](const Json::Member* a, const Json::Member* b) { return a->key != b->key ? a->key < b->key : a < b; });
    std::vector<bool> repeats(members->size());
    size_t found = 0;
    for (size_t i = 1, first = 0; i < sorted.size(); ++i) {
      if (sorted[i]->key != sorted[first]->key) {
        first = i;
        continue;
      }
      sorted[first]->value = std::move(sorted[i]->value);
      repeats[size_t(sorted[i] - members->data())] = true;
      ++found;
    }
    if (found) std::erase_if(*members, [&](const Json::Member& m) { return repeats[size_t(&m - members->data())]; });
  }
  open_.pop_back();
}

Json parse_json(std::string_view text, const char* what) {
  Json root;
  Handler handler(root, what);
  Library::sax_parse(text.begin(), text.end(), &handler);
  return root;
}

}  // namespace loam
