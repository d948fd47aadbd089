// Methods of Python's str, and of the other types.
#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/text/jinja/objects.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;

const std::string& text_argument(const Args& args, size_t i) {
  if (i >= args.positional.size() || !args.positional[i].is_string()) {
    fail(Code::bad_argument, "template: this method needs a str");
  }
  return args.positional[i].string();
}

// Safe texts escape what is put into them.
std::string part_for(const Value& self, const Value& part) {
  return self.is_markup() && !part.is_markup() ? escape(part.string()) : part.string();
}

Value strip_method(Interpreter& in, const Value& self, const Args& args, bool left, bool right) {
  std::string_view s = self.string();
  const bool given = !args.positional.empty() && !args.positional[0].is_none();
  const std::string set = given ? part_for(self, (text_argument(args, 0), args.positional[0])) : "";
  in.step(int64_t(s.size() * (1 + set.size()) / 64));
  if (left) s = given ? strip_left(s, set) : strip_left(s);
  if (right) s = given ? strip_right(s, set) : strip_right(s);
  return s.size() == self.string().size() ? self : in.text(std::string(s), self.is_markup());
}
Value s_strip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, true, true); }
Value s_lstrip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, true, false); }
Value s_rstrip(Interpreter& in, const Value& v, Args& args) { return strip_method(in, v, args, false, true); }

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& in, const Value& v, Args&) {
  in.charge(int64_t(v.string().size()) * 2);
  in.step(int64_t(v.string().size()) / (v.is_ascii() ? 16 : 2));
  return in.text(change(v.string()), v.is_markup());
}

std::string words_title(std::string_view s) {  // a capital after everything that has no case
  std::string out;
  bool inside = false;
  for (const std::string_view c : text_characters(s)) {
    const bool cased = is_cased(decode_utf8(c, 0).code);
    out += inside ? lower(c) : capitalize(c);
    inside = cased;
  }
  return out;
}

template <std::string (*change)(std::string_view)>
Value changed_slowly(Interpreter& in, const Value& v, Args&) {  // character by character
  in.charge(int64_t(v.string().size()) * 16);
  in.step(int64_t(v.string().size()) * 2);
  return in.text(change(v.string()), v.is_markup());
}

std::string swap_case(std::string_view s) {
  std::string out;
  for (const std::string_view c : text_characters(s)) out += upper(c) != c ? upper(c) : lower(c);
  return out;
}

// The part of `s` from character `start` to `stop`, where find and the like look; false: there is none.
struct Part {
  std::string_view text;
  int64_t first = 0;  // its place in characters
  bool valid = true;
};
Part part_of(Interpreter& in, const Value& v, const Args& args, size_t at) {
  const int64_t size = in.length(v);
  const auto bound = [&](size_t i, int64_t otherwise) {
    if (i >= args.positional.size() || args.positional[i].is_none()) return otherwise;
    const int64_t given = args.integer(i, "", 0);
    return given < 0 ? std::max<int64_t>(given + size, 0) : given;
  };
  const int64_t start = bound(at, 0), stop = std::min(bound(at + 1, size), size);
  in.step(int64_t(v.string().size() / 64));
  if (start > size || start > stop) return {"", 0, false};
  const std::string_view s = v.string();
  const size_t begin = v.is_ascii() ? size_t(start) : text_offset(s, start);
  const size_t bytes = v.is_ascii() ? size_t(stop - start) : text_offset(s.substr(begin), stop - start);
  return {s.substr(begin, bytes), start, true};
}

int64_t find_in(Interpreter& in, const Value& v, const Args& args, bool last) {
  const std::string& what = text_argument(args, 0);
  const Part part = part_of(in, v, args, 1);
  const size_t at = !part.valid ? std::string_view::npos : last ? part.text.rfind(what) : part.text.find(what);
  return at == std::string_view::npos ? -1 : part.first + text_length(part.text.substr(0, at));
}
Value s_find(Interpreter& in, const Value& v, Args& args) { return find_in(in, v, args, false); }
Value s_rfind(Interpreter& in, const Value& v, Args& args) { return find_in(in, v, args, true); }
Value index_of(Interpreter& in, const Value& v, const Args& args, bool last) {
  const int64_t at = find_in(in, v, args, last);
  if (at < 0) fail(Code::bad_argument, "template: the text is not found by index()");
  return at;
}
Value s_index(Interpreter& in, const Value& v, Args& args) { return index_of(in, v, args, false); }
Value s_rindex(Interpreter& in, const Value& v, Args& args) { return index_of(in, v, args, true); }

Value s_count(Interpreter& in, const Value& v, Args& args) {
  const std::string& what = text_argument(args, 0);
  const Part part = part_of(in, v, args, 1);
  if (!part.valid) return int64_t(0);
  if (what.empty()) return text_length(part.text) + 1;
  int64_t count = 0;
  for (size_t at = part.text.find(what); at != std::string_view::npos; at = part.text.find(what, at + what.size()))
    ++count;
  return count;
}

Value any_of(Interpreter& in, const Value& v, const Args& args,
             const std::function<bool(std::string_view, std::string_view)>& test) {
  const Part part = part_of(in, v, args, 1);
  const Value& what = args.positional[0];
  if (what.is_string()) return part.valid && test(part.text, what.string());
  if (!what.is_tuple()) fail(Code::bad_argument, "template: this method needs a str or a tuple of them");
  in.step(int64_t(what.items().size()));
  for (const Value& one : what.items()) {
    if (!one.is_string()) fail(Code::bad_argument, "template: this method needs a str or a tuple of them");
    if (part.valid && test(part.text, one.string())) return true;
  }
  return false;
}
Value s_startswith(Interpreter& in, const Value& v, Args& args) {
  return any_of(in, v, args, [](std::string_view s, std::string_view what) { return s.starts_with(what); });
}
Value s_endswith(Interpreter& in, const Value& v, Args& args) {
  return any_of(in, v, args, [](std::string_view s, std::string_view what) { return s.ends_with(what); });
}

Value s_replace(Interpreter& in, const Value& v, Args& args) {
  const std::string &s = v.string(), &from = text_argument(args, 0);
  const Value& with = args.positional[1];  // safe texts take any value
  if (!v.is_markup()) text_argument(args, 1);
  const std::string to = with.is_string() ? part_for(v, with) : escape(in.str(with));
  int64_t count = args.integer(2, "", -1);
  in.charge(int64_t(s.size()));
  std::string out;
  const auto add = [&](std::string_view part) {
    if (out.size() + part.size() > out.capacity()) in.charge(int64_t(out.size() + part.size()) * 2);
    out += part;
  };
  if (from.empty()) {  // between all characters, as Python does
    bool more = true;
    for (const std::string_view c : text_characters(s)) {
      if ((more = count != 0)) add(to), --count;
      add(c);
    }
    if (count != 0) add(to);
    return in.text(std::move(out), v.is_markup());
  }
  size_t done = 0;
  for (size_t at = s.find(from); at != std::string::npos && count != 0; at = s.find(from, done), --count) {
    in.step();
    add(std::string_view(s).substr(done, at - done));
    add(to);
    done = at + from.size();
  }
  add(std::string_view(s).substr(done));
  return in.text(std::move(out), v.is_markup());
}

Value s_join(Interpreter& in, const Value& v, Args& args) {
  std::string out;
  bool first = true;
  const auto iterator = in.iterate(args.positional[0]);
  for (Value item; iterator->next(in, item); first = false) {
    if (!item.is_string() && !v.is_markup()) fail(Code::bad_argument, "template: join() of a %s", item.type_name());
    if (!item.is_string()) item = Value(in.str(item));
    in.charge(int64_t(v.string().size() + item.string().size() + out.size() / 16) + 64);
    if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
    if (!first) out += v.string();
    out += part_for(v, item);
  }
  return in.text(std::move(out), v.is_markup());
}

Value s_removeprefix(Interpreter& in, const Value& v, Args& args) {
  const std::string& prefix = text_argument(args, 0);
  return v.string().starts_with(prefix) ? in.text(v.string().substr(prefix.size()), v.is_markup()) : v;
}
Value s_removesuffix(Interpreter& in, const Value& v, Args& args) {
  const std::string& suffix = text_argument(args, 0);
  return v.string().ends_with(suffix) ? in.text(v.string().substr(0, v.string().size() - suffix.size()), v.is_markup())
                                      : v;
}

enum class Side { left, right, both };
Value pad(Interpreter& in, const Value& v, const Args& args, Side side) {
  std::string with = " ";
  if (args.positional.size() > 1) {
    with = part_for(v, (text_argument(args, 1), args.positional[1]));
    if (text_length(with) != 1) fail(Code::bad_argument, "template: the filling is not one character");
  }
  const int64_t width = args.integer(0, "", 0), missing = std::max<int64_t>(width - in.length(v), 0);
  in.charge(std::min<int64_t>(missing, int64_t(1) << 40) * int64_t(with.size()));
  // center: as Python rounds
  const int64_t left = side == Side::left ? missing : side == Side::right ? 0 : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += with;
  out += v.string();
  for (int64_t i = left; i < missing; ++i) out += with;
  return in.text(std::move(out), v.is_markup());
}
Value s_ljust(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, Side::right); }
Value s_rjust(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, Side::left); }
Value s_center(Interpreter& in, const Value& v, Args& args) { return pad(in, v, args, Side::both); }

Value s_zfill(Interpreter& in, const Value& v, Args& args) {
  const int64_t missing = std::max<int64_t>(args.integer(0, "", 0) - in.length(v), 0);
  in.charge(std::min<int64_t>(missing, int64_t(1) << 40));
  const std::string& s = v.string();
  const size_t sign = !s.empty() && (s[0] == '+' || s[0] == '-');
  return in.text(s.substr(0, sign) + std::string(size_t(missing), '0') + s.substr(sign), v.is_markup());
}

Value s_expandtabs(Interpreter& in, const Value& v, Args& args) {
  const int64_t size = std::clamp<int64_t>(args.integer(0, "tabsize", 8), 0, 1 << 20);
  std::string out;
  int64_t column = 0;
  for (const std::string_view c : text_characters(v.string())) {
    if (c == "\t") {
      const int64_t spaces = size ? size - column % size : 0;
      in.charge(spaces + int64_t(out.size()) / 64);
      if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
      out.append(size_t(spaces), ' ');
      column += spaces;
      continue;
    }
    out += c;
    column = c == "\n" || c == "\r" ? 0 : column + 1;
  }
  return in.text(std::move(out), v.is_markup());
}

Value s_format(Interpreter& in, const Value& v, Args& args) { return brace_format(in, v, args); }
Value s_format_map(Interpreter& in, const Value& v, Args& args) {
  if (!args.positional[0].is_dict()) fail(Code::bad_argument, "template: format_map() needs a dict");
  Args named;
  for (const auto& [key, value] : args.positional[0].pairs()) {
    if (key.is_string()) named.named.emplace_back(key.string(), value);
  }
  return brace_format(in, v, named);
}
Value s_refused(Interpreter&, const Value&, Args&) {
  fail(Code::unsupported, "template: encode(), translate() and maketrans() are not supported: texts are no bytes");
}

constexpr FunctionRow kMethods[] = {
    {"capitalize", changed<capitalize>},
    {"casefold", changed_slowly<fold_case>},
    {"center", s_center, "/width /fill?"},
    {"count", s_count, "/sub /start? /end?"},
    {"encode", s_refused, "* **"},
    {"endswith", s_endswith, "/suffix /start? /end?"},
    {"expandtabs", s_expandtabs, "tabsize?"},
    {"find", s_find, "/sub /start? /end?"},
    {"format", s_format, "* **"},
    {"format_map", s_format_map, "/map"},
    {"index", s_index, "/sub /start? /end?"},
    {"join", s_join, "/iterable"},
    {"ljust", s_ljust, "/width /fill?"},
    {"lower", changed<lower>},
    {"lstrip", s_lstrip, "/chars?"},
    {"maketrans", s_refused, "* **"},
    {"removeprefix", s_removeprefix, "/prefix"},
    {"removesuffix", s_removesuffix, "/suffix"},
    {"replace", s_replace, "/old /new /count?"},
    {"rfind", s_rfind, "/sub /start? /end?"},
    {"rindex", s_rindex, "/sub /start? /end?"},
    {"rjust", s_rjust, "/width /fill?"},
    {"rstrip", s_rstrip, "/chars?"},
    {"startswith", s_startswith, "/prefix /start? /end?"},
    {"strip", s_strip, "/chars?"},
    {"swapcase", changed_slowly<swap_case>},
    {"title", changed_slowly<words_title>},
    {"translate", s_refused, "* **"},
    {"upper", changed<upper>},
    {"zfill", s_zfill, "/width"},
};

}  // namespace

std::span<const FunctionRow> string_methods() { return kMethods; }

}  // namespace loam::jinja
