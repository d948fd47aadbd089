// Filters on single values and texts; those on sequences are in filters_sequence.cpp.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/filter_rows.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

Value f_abs(Interpreter&, const Value& v, Args&) {
  if (!v.is_number()) fail(Code::bad_argument, "template: abs of a %s", v.type_name());
  return v.is_real() ? Value(std::abs(v.real())) : Value(v.integer() < 0 ? -v.integer() : v.integer());
}

Value f_capitalize(Interpreter& in, const Value& v, Args&) { return in.text(capitalize(v.text())); }
Value f_lower(Interpreter& in, const Value& v, Args&) { return in.text(lower(v.text())); }
Value f_upper(Interpreter& in, const Value& v, Args&) { return in.text(upper(v.text())); }
Value f_title(Interpreter& in, const Value& v, Args&) { return in.text(title(v.text())); }
Value f_string(Interpreter& in, const Value& v, Args&) { return in.text(v.text()); }

Value f_default(Interpreter&, const Value& v, Args& args) {
  const Value* otherwise = args.find(0, "default_value");
  const bool use = v.is_undefined() || (args.boolean(1, "boolean", false) && !v.truth());
  return !use ? v : otherwise ? *otherwise : Value("");
}

Value f_escape(Interpreter& in, const Value& v, Args&) {
  std::string out;
  for (const char c : v.text()) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\'')
      out += "&#39;";
    else if (c == '"')
      out += "&#34;";
    else
      out += c;
  }
  return in.text(std::move(out));
}

// The number that a text begins and ends with; false: it is none.
bool parse_real(const std::string& text, double& out) {
  const std::string trimmed(strip_right(strip_left(text)));
  if (trimmed.empty() || trimmed.find_first_of("xXpP") != std::string::npos) return false;
  char* end = nullptr;
  out = std::strtod(trimmed.c_str(), &end);
  return *end == '\0';
}

Value f_float(Interpreter&, const Value& v, Args& args) {
  double parsed = 0;
  if (v.is_number()) return v.real();
  if (v.is_string() && parse_real(v.string(), parsed)) return parsed;
  if (v.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", v.undefined_name().c_str());
  const Value* otherwise = args.find(0, "default");
  return otherwise ? *otherwise : Value(0.0);
}

Value f_int(Interpreter&, const Value& v, Args& args) {
  const Value* otherwise = args.find(0, "default");
  const Value fallback = otherwise ? *otherwise : Value(int64_t(0));
  if (v.is_integral()) return v.integer();
  if (v.is_undefined()) fail(Code::bad_argument, "template: '%s' is undefined", v.undefined_name().c_str());
  double real = v.is_real() ? v.real() : 0;
  if (v.is_string()) {
    const std::string trimmed(strip_right(strip_left(v.string())));
    char* end = nullptr;
    errno = 0;
    const long long parsed = std::strtoll(trimmed.c_str(), &end, int(args.integer(1, "base", 10)));
    if (!trimmed.empty() && *end == '\0' && errno == 0) return int64_t(parsed);
    if (!parse_real(v.string(), real)) return fallback;
  } else if (!v.is_real()) {
    return fallback;
  }
  return std::abs(real) < 9e18 ? Value(int64_t(real)) : fallback;
}

Value f_format(Interpreter& in, const Value& v, Args& args) { return python_format(in, v.text(), args.positional); }

Value f_center(Interpreter& in, const Value& v, Args& args) {
  const std::string s = v.text();
  const int64_t width = args.integer(0, "width", 80), missing = std::max<int64_t>(width - text_length(s), 0);
  in.charge(size_t(missing));
  const int64_t left = missing / 2 + (missing & width & 1);  // as Python's str.center rounds
  return in.text(std::string(size_t(left), ' ') + s + std::string(size_t(missing - left), ' '));
}

Value f_indent(Interpreter& in, const Value& v, Args& args) {
  if (!v.is_string()) fail(Code::bad_argument, "template: indent of a %s", v.type_name());
  const Value* width = args.find(0, "width");
  const bool first = args.boolean(1, "first", false), blank = args.boolean(2, "blank", false);
  const int64_t count = width && width->is_string() ? 0 : std::max<int64_t>(args.integer(0, "width", 4), 0);
  const std::string s = v.text() + "\n";  // so that every line ends
  in.charge(size_t(count) + s.size());
  const std::string prefix = width && width->is_string() ? width->string() : std::string(size_t(count), ' ');
  std::string out;
  bool is_first = true;
  for (size_t at = 0; at < s.size();) {
    const size_t end = s.find('\n', at);
    const std::string line = s.substr(at, end - at);
    if (!is_first) out += '\n';
    if (is_first ? first : blank || !line.empty()) {
      in.charge(prefix.size());
      out += prefix;
    }
    out += line;
    is_first = false;
    at = end + 1;
  }
  return in.text(std::move(out));
}

Value f_replace(Interpreter& in, const Value& v, Args& args) {
  const std::string s = v.text(), from = args.string(0, "old", ""), to = args.string(1, "new", "");
  return in.text(replace_text(in, s, from, to, args.integer(2, "count", -1)));
}

Value f_round(Interpreter&, const Value& v, Args& args) {
  if (!v.is_number()) fail(Code::bad_argument, "template: round of a %s", v.type_name());
  const int64_t precision = args.integer(0, "precision", 0);
  const std::string method = args.string(1, "method", "common");
  if (precision < 0 || precision > 30) fail(Code::unsupported, "template: round to %d digits", int(precision));
  if (method == "common") {
    if (!v.is_real()) return v.integer();
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, "%.*f", int(precision), v.real());
    return std::strtod(buffer, nullptr);
  }
  if (method != "ceil" && method != "floor") fail(Code::bad_argument, "template: round by '%s'", method.c_str());
  const double scale = std::pow(10.0, double(precision));
  return (method == "ceil" ? std::ceil(v.real() * scale) : std::floor(v.real() * scale)) / scale;
}

Value f_tojson(Interpreter& in, const Value& v, Args& args) {
  // transformers' own: tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)
  JsonStyle style;
  style.ensure_ascii = args.boolean(0, "ensure_ascii", false);
  style.indent = std::min<int64_t>(args.integer(1, "indent", -1), 64);
  style.sort_keys = args.boolean(3, "sort_keys", false);
  if (style.indent >= 0) style.item_separator = ",";
  const Value* separators = args.find(2, "separators");
  if (separators && separators->is_list() && separators->items().size() == 2) {
    style.item_separator = separators->items()[0].text();
    style.key_separator = separators->items()[1].text();
  }
  in.step(v.weight() * (1 + std::max<int64_t>(style.indent, 0) / 4));
  return in.text(to_json(v, style));
}

Value f_trim(Interpreter& in, const Value& v, Args& args) {
  const std::string s = v.text();
  const Value* set = args.find(0, "chars");
  if (!set || set->is_none()) return in.text(std::string(strip_right(strip_left(s))));
  return in.text(std::string(strip_right(strip_left(s, set->text()), set->text())));
}

Value f_truncate(Interpreter& in, const Value& v, Args& args) {
  const std::string s = v.text(), end = args.string(2, "end", "...");
  const int64_t length = args.integer(0, "length", 255), leeway = args.integer(3, "leeway", 5);
  if (length < text_length(end)) fail(Code::bad_argument, "template: truncate to less than its end");
  const auto characters = text_characters(s);
  if (int64_t(characters.size()) <= length + leeway) return v;
  std::string out;
  for (int64_t i = 0; i < length - text_length(end); ++i) out += characters[size_t(i)];
  if (!args.boolean(1, "killwords", false)) {
    const size_t space = out.rfind(' ');
    if (space != std::string::npos) out.resize(space);
  }
  return in.text(out + end);
}

Value f_wordcount(Interpreter&, const Value& v, Args&) {
  const std::string s = v.text();
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    const bool word = c.code == '_' || (char_classes()[c.code] & (CharClass::word | CharClass::number)) != 0;
    words += word && !inside;
    inside = word;
    at += c.bytes;
  }
  return words;
}

const NamedApply kFilters[] = {
    {"abs", f_abs},
    {"capitalize", f_capitalize},
    {"center", f_center},
    {"d", f_default},
    {"default", f_default},
    {"e", f_escape},
    {"escape", f_escape},
    {"float", f_float},
    {"forceescape", f_escape},
    {"format", f_format},
    {"indent", f_indent},
    {"int", f_int},
    {"lower", f_lower},
    {"replace", f_replace},
    {"round", f_round},
    {"safe", f_string},
    {"string", f_string},
    {"title", f_title},
    {"tojson", f_tojson},
    {"trim", f_trim},
    {"truncate", f_truncate},
    {"upper", f_upper},
    {"wordcount", f_wordcount},
};

}  // namespace

Apply find_row(std::span<const NamedApply> rows, std::string_view name) {
  for (const NamedApply& row : rows) {
    if (name == row.name) return row.apply;
  }
  return nullptr;
}

Apply find_filter(std::string_view name) {
  const Apply apply = find_row(kFilters, name);
  return apply ? apply : find_sequence_filter(name);
}

std::string replace_text(Interpreter& in, const std::string& s, const std::string& from, const std::string& to,
                         int64_t count) {
  std::string out;
  if (from.empty()) {  // between all characters, as Python does
    for (const std::string_view c : text_characters(s)) {
      if (count-- != 0)
        out += to;
      else
        ++count;
      out += c;
    }
    in.charge(out.size());
    return count != 0 ? out + to : out;
  }
  size_t done = 0;
  for (size_t at = s.find(from); at != std::string::npos && count != 0; at = s.find(from, done), --count) {
    in.charge(to.size());
    out.append(s, done, at - done).append(to);
    done = at + from.size();
  }
  return out.append(s, done);
}

}  // namespace loam::jinja
