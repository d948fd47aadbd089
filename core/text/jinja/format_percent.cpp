// Python's "%" formatting of texts.
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

constexpr int64_t kMostWidth = 100000, kMostPrecision = 500;

struct Spec {
  std::string flags;
  int64_t width = 0, precision = -1;
  char kind = 0;
  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

class Formatter {
 public:
  Formatter(Interpreter& in, const Value& format, const Value& values)
      : in_(in), format_(format.string()), markup_(format.is_markup()), values_(values) {}

  Value run() {
    std::string out;
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        const size_t end = std::min(format_.find('%', at_), format_.size());
        out.append(format_, at_, end - at_);
        at_ = end;
        continue;
      }
      ++at_;
      const std::string part = conversion();
      in_.charge(int64_t(part.size()) + int64_t(out.size()) / 32);
      if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
      out += part;
    }
    // Values by name may be left; what can be subscripted counts as such.
    const bool named = values_.is_dict() || values_.is_undefined() || (values_.is_list() && !values_.is_tuple()) ||
                       (values_.is_object() && values_.object()->indexable());
    if (!named && next_ < count()) fail(Code::bad_argument, "template: not all values are used by the format");
    return in_.text(std::move(out), markup_);
  }

 private:
  size_t count() const { return values_.is_tuple() ? values_.items().size() : 1; }
  Value next_value() {
    if (next_ >= count()) fail(Code::bad_argument, "template: not enough values for the format");
    const size_t i = next_++;
    return values_.is_tuple() ? values_.items()[i] : values_;
  }
  char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  int64_t number(int64_t most) {
    if (peek() == '*') {
      ++at_;
      const Value v = next_value();
      if (!v.is_integral()) fail(Code::bad_argument, "template: * in a format needs an integer");
      if (std::abs(v.integer()) > most) fail(Code::bad_argument, "template: a format wider than %d", int(most));
      return v.integer();
    }
    int64_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > most) fail(Code::bad_argument, "template: a format wider than %d", int(most));
    }
    return value;
  }

  Value named_value() {
    size_t depth = 1, end = at_;
    for (; end < format_.size() && depth; ++end) depth += size_t(format_[end] == '(') - size_t(format_[end] == ')');
    if (depth) fail(Code::bad_argument, "template: a name in a format has no ')'");
    const Value key(format_.substr(at_, end - 1 - at_));
    at_ = end;
    if (!values_.is_dict()) fail(Code::bad_argument, "template: a format with names needs a dict");
    const Value* found = values_.find(key);
    if (!found) fail(Code::bad_argument, "template: the format's '%.60s' is not given", key.string().c_str());
    return *found;
  }

  std::string conversion() {
    Spec spec;
    std::optional<Value> named;
    if (peek() == '(') {
      ++at_;
      named = named_value();
    }
    while (peek() && std::string_view("-+ 0#").find(peek()) != std::string_view::npos) spec.flags += format_[at_++];
    spec.width = number(kMostWidth);
    if (spec.width < 0) {
      spec.flags += '-';
      spec.width = -spec.width;
    }
    if (peek() == '.') {
      ++at_;
      spec.precision = std::max<int64_t>(number(kMostPrecision), 0);
    }
    if (std::string_view("hlL").find(peek()) != std::string_view::npos && peek()) ++at_;
    if (!peek()) fail(Code::bad_argument, "template: an incomplete format");
    spec.kind = format_[at_++];
    if (spec.kind == '%') return "%";
    if (std::string_view("srac").find(spec.kind) != std::string_view::npos) {
      return text(spec, named ? *named : next_value());
    }
    if (std::string_view("diuoxXeEfFgG").find(spec.kind) == std::string_view::npos) {
      fail(Code::bad_argument, "template: the format has an unknown conversion '%%%c'", spec.kind);
    }
    return number_text(spec, named ? *named : next_value());
  }

  std::string pad(std::string text, const Spec& spec) const {
    const int64_t missing = spec.width - text_length(text);
    if (missing <= 0) return text;
    const std::string fill(size_t(missing), ' ');
    return spec.has('-') ? text + fill : fill + text;
  }

  std::string text(const Spec& spec, const Value& v) {
    std::string s;
    if (spec.kind == 'c') {
      if (v.is_integral()) {
        if (v.integer() < 0 || v.integer() >= kInvalidByte) fail(Code::bad_argument, "template: %%c of no character");
        append_utf8(s, uint32_t(v.integer()));
      } else {
        if (!v.is_string() || text_length(v.string()) != 1) fail(Code::bad_argument, "template: %%c needs a character");
        s = v.string();
      }
    } else if (spec.kind == 's') {
      s = in_.str(v);
    } else {
      if (spec.kind == 'a') fail(Code::unsupported, "template: %%a is not supported");
      in_.walk(v);
      s = v.repr();
    }
    if (markup_ && !v.is_markup()) s = escape(s);
    if (spec.precision >= 0 && spec.kind != 'c') s.resize(text_offset(s, spec.precision));
    return pad(std::move(s), spec);
  }

  std::string number_text(const Spec& spec, const Value& v) {
    const bool real = std::string_view("eEfFgG").find(spec.kind) != std::string_view::npos;
    const bool whole_only = std::string_view("oxX").find(spec.kind) != std::string_view::npos;
    if (v.is_undefined()) fail_undefined(v);
    if (real && v.is_string()) fail(Code::bad_argument, "template: %%%c of a str", spec.kind);
    if (!v.is_number() || (whole_only && v.is_real())) {
      fail(Code::bad_argument, "template: %%%c of a %s", spec.kind, v.type_name());
    }
    return real ? real_text_of(spec, v.real()) : integer_text(spec, v);
  }

  std::string integer_text(const Spec& spec, const Value& v) {
    int64_t value = 0;
    if (v.is_real()) {
      if (!(std::abs(v.real()) < 0x1p63))
        fail(Code::bad_argument, "template: %%%c of a number that is too large", spec.kind);
      value = int64_t(v.real());
    } else {
      value = v.integer();
    }
    const uint64_t size = value < 0 ? 0 - uint64_t(value) : uint64_t(value);
    char digits[32];
    const char* how = spec.kind == 'o' ? "%llo" : spec.kind == 'x' ? "%llx" : spec.kind == 'X' ? "%llX" : "%llu";
    std::snprintf(digits, sizeof digits, how, static_cast<unsigned long long>(size));
    std::string body = digits;
    if (int64_t(body.size()) < spec.precision) body.insert(0, size_t(spec.precision) - body.size(), '0');
    std::string prefix = value < 0 ? "-" : spec.has('+') ? "+" : spec.has(' ') ? " " : "";
    if (spec.has('#') && spec.kind != 'd' && spec.kind != 'i' && spec.kind != 'u') (prefix += '0') += spec.kind;
    return filled(spec, prefix, body, true);
  }

  std::string real_text_of(const Spec& spec, double value) {
    char digits[1024];
    const std::string how = std::string("%") + (spec.has('#') ? "#" : "") + ".*" + spec.kind;
    std::snprintf(digits, sizeof digits, how.c_str(), int(spec.precision < 0 ? 6 : spec.precision), std::abs(value));
    const std::string prefix = std::signbit(value) && value == value ? "-"
                               : spec.has('+')                       ? "+"
                               : spec.has(' ')                       ? " "
                                                                     : "";
    return filled(spec, prefix, digits, true);
  }

  static std::string filled(const Spec& spec, const std::string& prefix, std::string body, bool zeros) {
    const int64_t missing = spec.width - int64_t(prefix.size() + body.size());
    if (missing <= 0) return prefix + body;
    if (spec.has('-')) return prefix + body + std::string(size_t(missing), ' ');
    if (spec.has('0') && zeros) return prefix + std::string(size_t(missing), '0') + body;
    return std::string(size_t(missing), ' ') + prefix + body;
  }

  Interpreter& in_;
  const std::string& format_;
  bool markup_;
  const Value& values_;
  size_t at_ = 0, next_ = 0;
};

}  // namespace

Value python_format(Interpreter& in, const Value& format, const Value& values) {
  return Formatter(in, format, values).run();
}

}  // namespace loam::jinja
