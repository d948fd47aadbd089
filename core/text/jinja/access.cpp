// Attributes, subscripts, slices, truth, lengths and membership.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/objects.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

// What Python has on every object; templates must not reach it, and never do here.
bool is_dunder(std::string_view name) {
  for (const char* known : {"__class__", "__doc__", "__init__", "__new__", "__dict__", "__module__", "__len__",
                            "__iter__", "__getitem__", "__contains__", "__eq__", "__hash__", "__repr__", "__str__",
                            "__reduce__", "__subclasshook__", "__dir__", "__format__", "__sizeof__"}) {
    if (name == known) return true;
  }
  return false;
}

// Methods that change their object: Jinja's sandbox hides them.
bool changes(const Value& object, std::string_view name) {
  constexpr std::string_view kList[] = {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"};
  constexpr std::string_view kDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  const auto has = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  return (object.is_list() && !object.is_tuple() && has(kList)) || (object.is_dict() && has(kDict));
}

bool number_attribute(const Value& object, std::string_view name, Value& out) {
  if (name == "real" || (name == "numerator" && !object.is_real())) {
    out = object.is_real() ? object : Value(object.integer());
  } else if (name == "imag") {
    out = object.is_real() ? Value(0.0) : Value(int64_t(0));
  } else if (name == "denominator" && !object.is_real()) {
    out = int64_t(1);
  } else {
    return false;
  }
  return true;
}

Value no_attribute(const Value& object, std::string_view name) {
  return Value::undefined("a " + std::string(object.type_name()) + " has no attribute '" + std::string(name) + "'");
}

// Python's object[key]; false: there is none.
bool get_item(Interpreter& in, const Value& object, const Value& key, Value& out) {
  if (object.is_dict()) {
    if (key.is_dict() || (key.is_list() && !key.is_tuple())) return false;
    if (key.is_list()) in.walk(key);
    const Value* found = object.find(key);
    if (found) out = *found;
    return found;
  }
  const bool indexable = object.is_list() || object.is_string() || (object.is_object() && object.object()->indexable());
  if (!indexable || !key.is_integral()) return false;
  const int64_t size = in.length(object), i = key.integer() < 0 ? key.integer() + size : key.integer();
  if (i < 0 || i >= size) return false;
  if (object.is_list()) {
    out = object.items()[size_t(i)];
  } else if (object.is_string()) {
    const std::string& s = object.string();
    if (!object.is_ascii()) in.step(i / 32);
    const size_t begin = object.is_ascii() ? size_t(i) : text_offset(s, i);
    out = Value(s.substr(begin, decode_utf8(s, begin).bytes), object.is_markup());
  } else {
    object.object()->item(i, out);
  }
  return true;
}

}  // namespace

// Python's getattr; false: there is none.
bool get_attribute(const Value& object, std::string_view name, Value& out) {
  if (is_dunder(name) || changes(object, name)) {
    out = Value::undefined("the attribute '" + std::string(name) + "' is not safe to use");
    return true;
  }
  if (object.is_object() && object.object()->attribute(name, out)) return true;
  if (const FunctionRow* method = find_method(object, name)) {
    out = Value::make<Function>(*method, object);
    return true;
  }
  if (object.is_group() && (name == "grouper" || name == "list")) {
    out = object.items()[name == "list"];
    return true;
  }
  return object.is_number() && number_attribute(object, name, out);
}

Value Interpreter::attribute(const Value& object, std::string_view name) {
  if (object.is_undefined() && !is_dunder(name)) fail_undefined(object);
  Value out;
  if (get_attribute(object, name, out)) return out;
  if (object.is_dict()) {
    if (const Value* v = object.find(Value(name))) return *v;
  }
  return no_attribute(object, name);
}

Value Interpreter::subscript(const Value& object, const Value& key) {
  if (object.is_undefined()) fail_undefined(object);
  Value out;
  if (get_item(*this, object, key, out)) return out;
  if (!key.is_string()) {
    return Value::undefined("a " + std::string(object.type_name()) + " has no element " +
                            (key.is_number() ? key.text() : key.type_name()));
  }
  return get_attribute(object, key.string(), out) ? out : no_attribute(object, key.string());
}

bool Interpreter::truth(const Value& v) {
  if (v.is_undefined() || v.is_none()) return false;
  if (v.is_real()) return v.real() != 0;
  if (v.is_integral()) return v.integer() != 0;
  if (v.is_string()) return !v.string().empty();
  if (v.is_list()) return !v.items().empty();
  if (v.is_dict()) return !v.pairs().empty();
  return v.object()->length(*this) != 0;
}

int64_t Interpreter::length(const Value& v) {
  if (v.is_string()) {
    if (!v.is_ascii()) step(int64_t(v.string().size() / 64));
    return v.is_ascii() ? int64_t(v.string().size()) : text_length(v.string());
  }
  if (v.is_list()) return int64_t(v.items().size());
  if (v.is_dict()) return int64_t(v.pairs().size());
  if (v.is_undefined()) return 0;
  const int64_t known = v.is_object() ? v.object()->length(*this) : -1;
  if (known < 0) fail(Code::bad_argument, "template: a %s has no length", v.type_name());
  return known;
}

bool Interpreter::equals(const Value& a, const Value& b) {
  step(std::min(a.weight(), b.weight()) / 8);
  return equal(a, b);
}

bool Interpreter::is_less(const Value& a, const Value& b) {
  step(std::min(a.weight(), b.weight()) / 8);
  return less(a, b);
}

bool Interpreter::contains(const Value& container, const Value& item) {
  if (container.is_string()) {
    if (item.is_undefined()) fail(Code::bad_argument, "template: an undefined value cannot be in a str");
    if (!item.is_string()) fail(Code::bad_argument, "template: a %s cannot be in a str", item.type_name());
    step(int64_t(container.string().size() / 64));
    return container.string().find(item.string()) != std::string::npos;
  }
  if (container.is_list()) {
    step((std::min<int64_t>(container.weight(), item.weight() * int64_t(container.items().size()))) / 8);
    return std::any_of(container.items().begin(), container.items().end(),
                       [&](const Value& v) { return equal(v, item); });
  }
  if (container.is_dict()) {
    check_hashable(item);
    if (item.is_list()) walk(item);
    return container.find(item) != nullptr;
  }
  if (container.is_object() || container.is_undefined()) {
    const auto iterator = iterate(container);
    for (Value v; iterator->next(*this, v);) {
      step();
      if (equals(v, item)) return true;
    }
    return false;
  }
  fail(Code::bad_argument, "template: 'in' needs a container, not a %s", container.type_name());
}

Value Interpreter::slice(const Expr& e) {
  const Value object = evaluate(*e.args[0]);
  std::optional<int64_t> bounds[3];
  bool bad = false;
  for (size_t i = 0; i < 3; ++i) {
    if (!e.args[i + 1]) continue;
    const Value v = evaluate(*e.args[i + 1]);
    bad = bad || !(v.is_integral() || v.is_none());
    if (v.is_integral()) bounds[i] = v.integer();
  }
  if (object.is_undefined()) fail_undefined(object);
  const bool sliced = object.is_string() || object.is_list() || object.as<Range>();
  if (!sliced && printed_ && is_constant(*printed_)) return Value::undefined("a constant is sliced");  // beforehand
  if (bad) fail(Code::bad_argument, "template: the parts of a slice are integers");
  const int64_t by = bounds[2].value_or(1);
  if (by == 0) fail(Code::bad_argument, "template: a slice with step 0");
  return slice_of(object, bounds[0], bounds[1], by);
}

Value Interpreter::slice_of(const Value& object, std::optional<int64_t> first, std::optional<int64_t> last,
                            int64_t by) {
  const auto* range = object.as<Range>();
  if (!object.is_string() && !object.is_list() && !range) {
    fail(Code::bad_argument, "template: a %s cannot be sliced", object.type_name());
  }
  const int64_t size = length(object), least = by > 0 ? 0 : -1, most = by > 0 ? size : size - 1;
  const auto clamp = [&](int64_t i) { return std::min(std::max(i < 0 ? i + size : i, least), most); };
  const int64_t start = first ? clamp(*first) : by > 0 ? 0 : size - 1;
  const int64_t stop = last ? clamp(*last) : by > 0 ? size : -1;
  if (range) {
    return Value::make<Range>(range->start() + start * range->by(), range->start() + stop * range->by(),
                              std::clamp<int64_t>(by, -200000, 200000) * range->by());
  }
  const bool more = by > 0 ? start < stop : start > stop;
  const uint64_t step_size = by > 0 ? uint64_t(by) : 0 - uint64_t(by);
  const auto count = !more ? 0 : int64_t((uint64_t(by > 0 ? stop - start : start - stop) - 1) / step_size + 1);
  if (object.is_list()) {
    charge(count * 32);
    std::vector<Value> items;
    items.reserve(size_t(count));
    for (int64_t i = 0; i < count; ++i) items.push_back(object.items()[size_t(start + i * by)]);
    return Value::list(std::move(items), object.is_tuple());
  }
  const std::string& s = object.string();
  charge(count);
  if (by == 1 || count == 0) {
    const size_t begin = object.is_ascii() ? size_t(start) : text_offset(s, start);
    const size_t bytes = object.is_ascii() ? size_t(count) : text_offset(std::string_view(s).substr(begin), count);
    if (!object.is_ascii()) step((start + count) / 32);
    return text(count ? s.substr(begin, bytes) : "", object.is_markup());
  }
  charge(int64_t(s.size()) * 16);
  const auto characters = text_characters(s);
  std::string out;
  for (int64_t i = 0; i < count; ++i) out += characters[size_t(start + i * by)];
  return text(std::move(out), object.is_markup());
}

}  // namespace loam::jinja
