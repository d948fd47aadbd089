// Python's str.format: fields with attributes and subscripts by the sandbox's rules, conversions, nested widths.
#include "core/error.h"
#include "core/text/jinja/format_spec.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

class Formatter {
 public:
  Formatter(Interpreter& in, const Value& format, const Args& args)
      : in_(in), format_(format.string()), markup_(format.is_markup()), args_(args) {}
  Value run() {
    std::string out = expand(format_, 2);
    return in_.text(std::move(out), markup_);
  }

 private:
  std::string expand(std::string_view s, int levels) {
    if (levels < 0) fail(Code::bad_argument, "template: a format is nested too deep");
    std::string out;
    for (size_t at = 0; at < s.size();) {
      const char c = s[at];
      const char next = at + 1 < s.size() ? s[at + 1] : '\0';
      if (c != '{' && c != '}') {
        out += s[at++];
      } else if (next == c) {
        out += c;
        at += 2;
      } else if (c == '}') {
        fail(Code::bad_argument, "template: a single '}' in a format");
      } else {
        const size_t end = field_end(s, at + 1);
        const std::string part = field(s.substr(at + 1, end - at - 1), levels);
        in_.charge(int64_t(part.size() + out.size() / 32));
        if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
        out += part;
        at = end + 1;
      }
    }
    return out;
  }

  static size_t field_end(std::string_view s, size_t at) {
    bool in_brackets = false;  // a "[...]" of the name may hold braces
    int depth = 1;
    for (; at < s.size(); ++at) {
      if (s[at] == '[' && depth == 1) in_brackets = true;
      if (s[at] == ']') in_brackets = false;
      if (in_brackets) continue;
      depth += (s[at] == '{') - (s[at] == '}');
      if (depth == 0) return at;
    }
    fail(Code::bad_argument, "template: a '{' in a format has no '}'");
  }

  std::string field(std::string_view s, int levels) {
    size_t end = 0;
    for (bool in_brackets = false; end < s.size(); ++end) {
      if (s[end] == '[') in_brackets = true;
      if (s[end] == ']') in_brackets = false;
      if (!in_brackets && (s[end] == '!' || s[end] == ':')) break;
      if (!in_brackets && s[end] == '{') fail(Code::bad_argument, "template: a '{' in the name of a format's field");
    }
    Value v = lookup(s.substr(0, end));
    s.remove_prefix(end);
    if (!s.empty() && s[0] == '!') {
      if (s.size() < 2 || (s.size() > 2 && s[2] != ':'))
        fail(Code::bad_argument, "template: an unknown conversion in a format");
      if (s[1] != 's' && s[1] != 'r') fail(Code::bad_argument, "template: the conversion '!%c' is not known", s[1]);
      if (s[1] == 'r') in_.walk(v);
      v = s[1] == 's' ? Value(in_.str(v), v.is_markup()) : Value(v.repr());
      s.remove_prefix(2);
    }
    const std::string spec = s.empty() ? "" : expand(s.substr(1), levels - 1);
    const std::string out = format_value(in_, v, spec);
    return markup_ && !v.is_markup() ? escape(out) : out;
  }

  static bool is_number(std::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
  }

  Value first(std::string_view name) {
    const bool automatic = name.empty();
    if (automatic || is_number(name)) {
      if ((automatic ? numbered_ : automatic_)) fail(Code::bad_argument, "template: a format mixes {} and {0}");
      (automatic ? automatic_ : numbered_) = true;
      const std::optional<int64_t> index = automatic ? std::optional(int64_t(next_++)) : parse_integer(name, 10);
      if (!index || uint64_t(*index) >= args_.positional.size()) {
        fail(Code::bad_argument, "template: not enough values for the format");
      }
      return args_.positional[size_t(*index)];
    }
    for (const auto& [key, value] : args_.named) {
      if (key == name) return value;
    }
    fail(Code::bad_argument, "template: the format's '%.60s' is not given", std::string(name).c_str());
  }

  Value lookup(std::string_view name) {
    size_t at = std::min(name.find_first_of(".["), name.size());
    Value v = first(name.substr(0, at));
    while (at < name.size()) {
      in_.step();
      if (name[at] == '.') {
        const size_t end = std::min(name.find_first_of(".[", at + 1), name.size());
        if (end == at + 1) fail(Code::bad_argument, "template: an empty attribute in a format");
        v = in_.attribute(v, name.substr(at + 1, end - at - 1));
        at = end;
      } else {
        const size_t end = name[at] == '[' ? name.find(']', at) : std::string_view::npos;
        if (end == std::string_view::npos || end == at + 1)
          fail(Code::bad_argument, "template: a '[' in a format has no ']'");
        const std::string_view key = name.substr(at + 1, end - at - 1);
        const std::optional<int64_t> index = is_number(key) ? parse_integer(key, 10) : std::nullopt;
        v = in_.subscript(v, index ? Value(*index) : Value(key));
        at = end + 1;
      }
    }
    return v;
  }

  Interpreter& in_;
  const std::string& format_;
  bool markup_;
  const Args& args_;
  size_t next_ = 0;
  bool automatic_ = false, numbered_ = false;
};

}  // namespace

Value brace_format(Interpreter& in, const Value& format, const Args& args) { return Formatter(in, format, args).run(); }

}  // namespace loam::jinja
