// Making and walking values.
#include "core/text/jinja/value.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

constexpr int kMostDepth = 120;
constexpr int64_t kMostWeight = 1 << 24;
constexpr int64_t kNodeBytes = 64, kItemBytes = 32;
constexpr size_t kSmallDict = 12;  // searched without an index

thread_local Meter* current_meter = nullptr;

int checked_depth(int depth) {
  if (depth > kMostDepth) fail(Code::bad_argument, "template: a value is nested deeper than %d levels", kMostDepth);
  return depth;
}

int64_t checked_weight(int64_t weight) {
  if (weight > kMostWeight) fail(Code::bad_argument, "template: a value has become too large");
  return weight;
}

bool all_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x80; });
}

Value from_parsed(const Json& json) {
  if (json.is_null()) return None{};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned() && json.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max())) {
    fail(Code::bad_argument, "template: the number %s in the input is too large for an integer", json.dump().c_str());
  }
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    std::vector<Value> items;
    items.reserve(json.size());
    for (const Json& item : json) items.push_back(from_parsed(item));
    return Value::list(std::move(items));
  }
  Pairs items;
  for (const auto& [key, value] : json.items()) items.emplace_back(key, from_parsed(value));
  return Value::dict(std::move(items));
}

uint32_t find_place(const Pairs& items, const std::unordered_multimap<uint64_t, uint32_t>& places, const Value& key) {
  const auto [begin, end] = places.equal_range(hash_of(key));
  for (auto it = begin; it != end; ++it) {
    if (equal(items[it->second].first, key)) return it->second;
  }
  return UINT32_MAX;
}

std::shared_ptr<const List> make_list(std::vector<Value> items, ListKind kind) {
  int depth = 0;
  int64_t weight = 1;
  for (const Value& item : items) {
    depth = std::max(depth, item.depth());
    weight += item.weight();
  }
  const auto bytes = kNodeBytes + kItemBytes * int64_t(items.size());
  return std::shared_ptr<const List>(
      new List{std::move(items), kind, checked_depth(depth + 1), checked_weight(weight), Charge(bytes)});
}

}  // namespace

Meter::Meter() : outer_(current_meter) { current_meter = this; }
Meter::~Meter() { current_meter = outer_; }
Meter* Meter::current() { return current_meter; }

void Meter::check(int64_t bytes) const {
  if (bytes > limit - live) {
    fail(Code::bad_argument, "template: it needs more than %lld KiB of memory", (long long)(limit / 1024));
  }
}

void Meter::add(int64_t bytes) {
  check(bytes);
  live += bytes;
  peak = std::max(peak, live);
}

Value Object::call(Interpreter&, Args&) { fail(Code::bad_argument, "template: a %s cannot be called", type()); }
std::string Object::repr() const { return "<" + std::string(type()) + " object>"; }

Value::Value(std::string s, bool markup) {
  const bool ascii = all_ascii(s);
  const auto bytes = kNodeBytes + int64_t(s.size());
  data_ = std::shared_ptr<const Text>(new Text{std::move(s), markup, ascii, Charge(bytes)});
}

Value::Value(std::shared_ptr<Object> o) : data_(std::move(o)) { checked_depth(object()->depth()); }

Value Value::undefined(std::string_view what) {
  Value v;
  v.data_ = Undefined{std::make_shared<const std::string>(what)};
  return v;
}
Value Value::undefined_name(std::string_view name) { return undefined("'" + std::string(name) + "' is undefined"); }

Value Value::list(std::vector<Value> items, bool tuple) {
  Value v;
  v.data_ = make_list(std::move(items), tuple ? ListKind::tuple : ListKind::list);
  return v;
}

Value Value::group(Value key, Value items) {
  Value v;
  v.data_ = make_list({std::move(key), std::move(items)}, ListKind::group);
  return v;
}

Value Value::dict(Pairs items) {
  int depth = 0;
  int64_t weight = 1;
  for (const auto& [key, value] : items) {
    depth = std::max({depth, key.depth(), value.depth()});
    weight += key.weight() + value.weight();
  }
  const auto bytes = kNodeBytes + 2 * kItemBytes * int64_t(items.size());
  Value v;
  v.data_ = std::shared_ptr<const Dict>(
      new Dict{std::move(items), checked_depth(depth + 1), checked_weight(weight), Charge(bytes), {}});
  return v;
}

bool Value::is_markup() const { return is_string() && std::get<TextPtr>(data_)->markup; }
bool Value::is_tuple() const { return is_list() && std::get<ListPtr>(data_)->kind != ListKind::list; }
bool Value::is_group() const { return is_list() && std::get<ListPtr>(data_)->kind == ListKind::group; }
const std::string& Value::string() const { return std::get<TextPtr>(data_)->text; }
bool Value::is_ascii() const { return std::get<TextPtr>(data_)->ascii; }
const std::vector<Value>& Value::items() const { return std::get<ListPtr>(data_)->items; }
const Pairs& Value::pairs() const { return std::get<DictPtr>(data_)->items; }

std::string Value::undefined_message() const {
  const auto& what = std::get<Undefined>(data_).what;
  return what ? *what : "an undefined value is used";
}

int Value::depth() const {
  if (is_object()) return object()->depth();
  return is_list() ? std::get<ListPtr>(data_)->depth : is_dict() ? std::get<DictPtr>(data_)->depth : 0;
}

int64_t Value::weight() const {
  if (is_list()) return std::get<ListPtr>(data_)->weight;
  if (is_dict()) return std::get<DictPtr>(data_)->weight;
  return is_string() ? 1 + int64_t(string().size() / 16) : 1;
}

bool Value::same(const Value& other) const {
  if (data_.index() != other.data_.index()) return false;
  if (is_list()) return std::get<ListPtr>(data_) == std::get<ListPtr>(other.data_);
  if (is_dict()) return std::get<DictPtr>(data_) == std::get<DictPtr>(other.data_);
  if (is_object()) return object() == other.object();
  if (is_undefined()) return std::get<Undefined>(data_).what == std::get<Undefined>(other.data_).what;
  return equal(*this, other);
}

const Value* Value::find(const Value& key) const {
  const Dict& dict = *std::get<DictPtr>(data_);
  if (dict.items.size() <= kSmallDict) {
    for (const auto& pair : dict.items) {
      if (equal(pair.first, key)) return &pair.second;
    }
    return nullptr;
  }
  if (dict.places.empty()) {
    for (size_t i = 0; i < dict.items.size(); ++i) dict.places.emplace(hash_of(dict.items[i].first), uint32_t(i));
  }
  const uint32_t place = find_place(dict.items, dict.places, key);
  return place == UINT32_MAX ? nullptr : &dict.items[place].second;
}

void DictMaker::put(const Value& key, Value value) {
  check_hashable(key);
  const uint32_t place = find_place(items_, places_, key);
  if (place != UINT32_MAX) {
    items_[place].second = std::move(value);
    return;
  }
  places_.emplace(hash_of(key), uint32_t(items_.size()));
  items_.emplace_back(key, std::move(value));
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

const Value* Args::given(size_t place, std::string_view name) const {
  const Value* v = find(place, name);
  return v && !v->is_none() ? v : nullptr;
}

int64_t Args::integer(size_t place, std::string_view name, int64_t otherwise) const {
  const Value* v = find(place, name);
  if (!v) return otherwise;
  if (v->is_undefined()) fail_undefined(*v);
  if (!v->is_integral()) fail(Code::bad_argument, "template: an integer is needed, not a %s", v->type_name());
  return v->integer();
}

std::string Args::text(size_t place, std::string_view name, std::string_view otherwise) const {
  const Value* v = find(place, name);
  return v ? v->text() : std::string(otherwise);
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

size_t text_offset(std::string_view text, int64_t characters) {
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) at += decode_utf8(text, at).bytes;
  return at;
}

Value from_json(std::string_view text, const char* what) {
  const Json json = parse_json(text, what);
  return with_json_errors(what, [&] { return from_parsed(json); });
}

}  // namespace loam::jinja
