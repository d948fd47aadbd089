// Filters on texts.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& in, const Value& v, Args&) {
  const std::string s = in.str(v);
  in.step(int64_t(s.size()) / (v.is_string() && v.is_ascii() ? 16 : 2));
  return in.text(change(s), v.is_markup());
}
Value f_title(Interpreter& in, const Value& v, Args&) {
  const std::string s = in.str(v);
  in.step(int64_t(s.size()) / 4);
  return in.text(title(s));
}
Value f_string(Interpreter& in, const Value& v, Args&) { return v.is_string() ? v : in.text(in.str(v)); }

Value method(Interpreter& in, const Value& v, Args& args, const char* name) {
  const Value s = v.is_string() ? v : in.text(in.str(v));
  return apply_row(in, *find_method(s, name), s, args);
}

Value f_center(Interpreter& in, const Value& v, Args& args) {
  Args width;
  width.positional.push_back(args.find(0, "width") ? *args.find(0, "width") : Value(int64_t(80)));
  return method(in, v, width, "center");
}

Value f_trim(Interpreter& in, const Value& v, Args& args) {
  Args set;
  if (const Value* chars = args.find(0, "chars")) set.positional.push_back(*chars);
  return method(in, v, set, "strip");
}

Value f_format(Interpreter& in, const Value& v, Args& args) {
  if (!args.positional.empty() && !args.named.empty()) {
    fail(Code::bad_argument, "template: format takes values by position or by name, not both");
  }
  const Value format = v.is_string() ? v : in.text(in.str(v));
  if (args.named.empty()) return python_format(in, format, Value::list(args.positional, true));
  Pairs pairs;
  for (const auto& [key, value] : args.named) pairs.emplace_back(Value(key), value);
  return python_format(in, format, Value::dict(std::move(pairs)));
}

// str.replace of texts without markup.
Value f_replace(Interpreter& in, const Value& v, Args& args) {
  Args plain;
  plain.positional = {Value(args.text(0, "old", "")), Value(args.text(1, "new", "")), Value(int64_t(-1))};
  if (args.given(2, "count")) plain.positional[2] = args.integer(2, "count", -1);
  return method(in, Value(in.str(v)), plain, "replace");
}

JsonStyle json_style(Interpreter& in, const Args& args) {
  JsonStyle style;
  const auto flag = [&](size_t place, const char* name) {
    const Value* v = args.find(place, name);
    return v && in.truth(*v);
  };
  style.ensure_ascii = flag(0, "ensure_ascii");
  style.sort_keys = flag(3, "sort_keys");
  if (const Value* indent = args.given(1, "indent")) {
    style.lines = true;
    style.item_separator.resize(1);  // without the space
    if (!indent->is_string())
      style.indent.assign(size_t(std::clamp<int64_t>(args.integer(1, "indent", 0), 0, 1000)), ' ');
    if (indent->is_string()) style.indent = indent->string();
  }
  const Value* separators = args.given(2, "separators");
  if (!separators) return style;
  const std::vector<Value> both = in.to_list(*separators);
  if (both.size() != 2 || !both[0].is_string() || !both[1].is_string()) {
    fail(Code::bad_argument, "template: the separators of tojson are two texts");
  }
  style.item_separator = both[0].string();
  style.key_separator = both[1].string();
  return style;
}

Value f_tojson(Interpreter& in, const Value& v, Args& args) {
  const JsonStyle style = json_style(in, args);
  in.walk(v);
  const auto each =
      int64_t(style.indent.size()) * v.depth() + int64_t(style.item_separator.size() + style.key_separator.size());
  in.charge(std::min<int64_t>(v.weight() * each / 2, int64_t(1) << 40));
  return in.text(to_json(v, style));
}

Value f_truncate(Interpreter& in, const Value& v, Args& args) {
  const std::string end = args.text(2, "end", "...");
  const int64_t length = args.integer(0, "length", 255);
  const int64_t leeway = args.given(3, "leeway") ? args.integer(3, "leeway", 5) : 5;
  const Value* killwords = args.find(1, "killwords");
  const int64_t end_length = text_length(end);
  if (length < end_length || leeway < 0) fail(Code::bad_argument, "template: truncate to less than its end");
  if (in.length(v) <= length + leeway) return v;
  if (!v.is_string()) fail(Code::bad_argument, "template: truncate of a %s", v.type_name());
  std::string out = v.string().substr(0, text_offset(v.string(), length - end_length));
  if (!killwords || !in.truth(*killwords)) {
    const size_t space = out.rfind(' ');
    if (space != std::string::npos) out.resize(space);
  }
  out += end;
  return in.text(std::move(out), v.is_markup());
}

Value f_wordcount(Interpreter& in, const Value& v, Args&) {
  const std::string s = in.str(v);
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    const bool word = c.code == '_' || (char_classes()[c.code] & (CharClass::letter | CharClass::number)) != 0;
    words += word && !inside;
    inside = word;
    at += c.bytes;
  }
  return words;
}

constexpr FunctionRow kFilters[] = {
    {"capitalize", changed<capitalize>},
    {"center", f_center, "width?"},
    {"format", f_format, "* **"},
    {"lower", changed<lower>},
    {"replace", f_replace, "old new count?"},
    {"string", f_string},
    {"title", f_title},
    {"tojson", f_tojson, "ensure_ascii? indent? separators? sort_keys?"},
    {"trim", f_trim, "chars?"},
    {"truncate", f_truncate, "length? killwords? end? leeway?"},
    {"upper", changed<upper>},
    {"wordcount", f_wordcount},
};

}  // namespace

std::span<const FunctionRow> text_filters() { return kFilters; }

}  // namespace loam::jinja
