// Python's "%" formatting, as far as templates use it: %s %r %d %i %f %x %% with flags, width and precision.
#include <cstdio>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"

namespace loam::jinja {
namespace {

constexpr size_t kMostWidth = 1000;

struct Spec {
  std::string flags;
  size_t width = 0;
  int precision = -1;
  char kind = 0;
};

Spec parse_spec(const std::string& format, size_t& at) {
  Spec spec;
  const auto number = [&] {
    size_t value = 0;
    for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at) {
      value = value * 10 + size_t(format[at] - '0');
      if (value > kMostWidth) fail(Code::bad_argument, "template: a format wider than %zu", kMostWidth);
    }
    return value;
  };
  while (at < format.size() && std::string_view("-+ 0#").find(format[at]) != std::string_view::npos)
    spec.flags += format[at++];
  spec.width = number();
  if (at < format.size() && format[at] == '.') {
    ++at;
    spec.precision = int(number());
  }
  if (at >= format.size()) fail(Code::bad_argument, "template: an incomplete format");
  spec.kind = format[at++];
  return spec;
}

std::string pad(std::string text, const Spec& spec) {
  const auto length = size_t(text_length(text));
  if (length >= spec.width) return text;
  const std::string fill(spec.width - length, ' ');
  return spec.flags.find('-') != std::string::npos ? text + fill : fill + text;
}

std::string format_one(const Spec& spec, const Value& v) {
  if (spec.kind == 's' || spec.kind == 'r') {
    const std::string text = spec.kind == 's' ? v.text() : v.repr();
    if (spec.precision < 0) return pad(text, spec);
    std::string cut;
    const auto characters = text_characters(text);
    for (size_t i = 0; i < characters.size() && i < size_t(spec.precision); ++i) cut += characters[i];
    return pad(cut, spec);
  }
  if (!v.is_number()) fail(Code::bad_argument, "template: %%%c of a %s", spec.kind, v.type_name());
  char buffer[2500];
  const std::string start = "%" + spec.flags + std::to_string(spec.width);
  const std::string head = spec.width ? start : "%" + spec.flags;
  const bool real = spec.kind == 'f' || spec.kind == 'F' || spec.kind == 'e' || spec.kind == 'g';
  const std::string precision = spec.precision >= 0 ? "." + std::to_string(spec.precision) : "";
  if (real) {
    std::snprintf(buffer, sizeof buffer, (head + precision + spec.kind).c_str(), v.real());
  } else if (spec.kind == 'd' || spec.kind == 'i' || spec.kind == 'x' || spec.kind == 'X' || spec.kind == 'o') {
    const long long whole = v.is_real() ? static_cast<long long>(v.real()) : static_cast<long long>(v.integer());
    std::snprintf(buffer, sizeof buffer, (head + precision + "ll" + spec.kind).c_str(), whole);
  } else {
    fail(Code::unsupported, "template: the format %%%c is not supported", spec.kind);
  }
  return buffer;
}

}  // namespace

Value python_format(Interpreter& in, const std::string& format, const std::vector<Value>& values, bool may_leave) {
  std::string out;
  size_t next = 0;
  for (size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    const Spec spec = parse_spec(format, ++at);
    if (spec.kind == '%') {
      out += '%';
      continue;
    }
    if (next >= values.size()) fail(Code::bad_argument, "template: not enough values for the format");
    const std::string part = format_one(spec, values[next++]);
    in.charge(part.size());
    out += part;
  }
  if (next != values.size() && !may_leave) fail(Code::bad_argument, "template: not all values are used by the format");
  return in.text(std::move(out));
}

}  // namespace loam::jinja
