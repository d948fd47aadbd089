// Equality, order and hashes of values, as Python has them.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/value.h"

namespace loam::jinja {
namespace {

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

// Exact: a double may lie between two integers that round to it.
int compare_numbers(const Value& a, const Value& b) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.is_real() == b.is_real()) return a.is_real() ? sign(a.real(), b.real()) : sign(a.integer(), b.integer());
  const double real = a.is_real() ? a.real() : b.real();
  const int64_t whole = a.is_real() ? b.integer() : a.integer();
  int order = 0;  // of the integer against the real
  if (real >= 0x1p63)
    order = -1;
  else if (real < -0x1p63)
    order = 1;
  else
    order = whole != int64_t(real) ? sign(whole, int64_t(real)) : sign(0.0, real - std::trunc(real));
  return a.is_real() ? -order : order;
}

bool is_nan(const Value& v) { return v.is_real() && v.real() != v.real(); }

uint64_t mix(uint64_t a, uint64_t b) { return (a ^ b) * 0x9e3779b97f4a7c15 + (a >> 29); }

}  // namespace

void fail_undefined(const Value& v) { fail(Code::bad_argument, "template: %s", v.undefined_message().c_str()); }

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) == 0;
  if (a.is_string() && b.is_string()) return a.string() == b.string();
  if (a.is_list() && b.is_list()) return a.is_tuple() == b.is_tuple() && equal_lists(a.items(), b.items());
  if (a.is_dict() && b.is_dict()) return equal_dicts(a, b);
  if (a.is_object() && b.is_object()) return a.object()->equals(*b.object());
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) < 0;
  if (a.is_string() && b.is_string()) return a.string() < b.string();  // order of bytes is order of code points
  if (a.is_list() && b.is_list() && a.is_tuple() == b.is_tuple()) {
    for (size_t i = 0; i < a.items().size() && i < b.items().size(); ++i) {
      if (!equal(a.items()[i], b.items()[i])) return less(a.items()[i], b.items()[i]);
    }
    return a.items().size() < b.items().size();
  }
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  fail(Code::bad_argument, "template: '<' between a %s and a %s", a.type_name(), b.type_name());
}

void check_hashable(const Value& v) {
  if (v.is_dict() || (v.is_list() && !v.is_tuple())) {
    fail(Code::bad_argument, "template: a %s cannot be a key", v.type_name());
  }
  for (size_t i = 0; v.is_tuple() && i < v.items().size(); ++i) check_hashable(v.items()[i]);
}

uint64_t hash_of(const Value& v) {
  if (v.is_real()) {
    const double d = v.real();
    if (d >= -0x1p63 && d < 0x1p63 && d == std::trunc(d)) return mix(1, uint64_t(int64_t(d)));
    return mix(2, std::hash<double>()(d));
  }
  if (v.is_integral()) return mix(1, uint64_t(v.integer()));
  if (v.is_string()) return std::hash<std::string>()(v.string());
  if (v.is_object()) return mix(3, uint64_t(reinterpret_cast<uintptr_t>(v.object().get())));
  uint64_t hash = v.is_none() ? 4 : 5;
  for (size_t i = 0; v.is_list() && i < v.items().size(); ++i) hash = mix(hash, hash_of(v.items()[i]));
  return hash;
}

}  // namespace loam::jinja
