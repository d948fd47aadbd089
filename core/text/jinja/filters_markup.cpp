// Filters for HTML and URLs. Nothing is escaped unless asked for; safe texts escape what is joined to them.
#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/jinja/urlize.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

Value f_escape(Interpreter& in, const Value& v, Args&) {
  if (v.is_markup()) return v;
  const std::string s = in.str(v);
  in.charge(int64_t(s.size()) * 2);
  return in.text(escape(s), true);
}
Value f_forceescape(Interpreter& in, const Value& v, Args&) {
  const std::string s = in.str(v);
  in.charge(int64_t(s.size()) * 2);
  return in.text(escape(s), true);
}
Value f_safe(Interpreter& in, const Value& v, Args&) { return v.is_markup() ? v : in.text(in.str(v), true); }

std::string without_between(std::string s, std::string_view open, std::string_view close) {
  std::string out;
  size_t done = 0;
  for (size_t at = s.find(open); at != std::string::npos; at = s.find(open, done)) {
    const size_t end = s.find(close, at + (open.size() > 1 ? open.size() : 0));
    if (end == std::string::npos) break;
    out.append(s, done, at - done);
    done = end + close.size();
  }
  return out.append(s, done);
}

// "#60;" or "#x3c;" behind an "&": the character, and how long it is; 0: it is none.
size_t numbered_entity(std::string_view s, std::string& out) {
  const bool hex = s.size() > 1 && (s[1] == 'x' || s[1] == 'X');
  size_t at = hex ? 2 : 1;
  const size_t first = at;
  uint32_t code = 0;
  for (; at < s.size() && (hex ? std::isxdigit(uint8_t(s[at])) : std::isdigit(uint8_t(s[at]))); ++at) {
    const int digit = s[at] <= '9' ? s[at] - '0' : (s[at] | 32) - 'a' + 10;
    code = std::min<uint32_t>(code * (hex ? 16 : 10) + uint32_t(digit), kInvalidByte);
  }
  if (at == first) return 0;
  const bool valid = code != 0 && code < kInvalidByte && !(code >= 0xd800 && code < 0xe000);
  append_utf8(out, valid ? code : 0xfffd);
  return at + (at < s.size() && s[at] == ';');
}

// The entities that escape() makes, the other usual ones, and numbers.
std::string unescape_entities(std::string_view s) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"amp", "&"},       {"AMP", "&"},      {"lt", "<"},       {"LT", "<"},      {"gt", ">"},
      {"GT", ">"},        {"quot", "\""},    {"QUOT", "\""},    {"apos;", "'"},   {"nbsp", "\u00a0"},
      {"copy", "\u00a9"}, {"reg", "\u00ae"}, {"Lt;", "\u226a"}, {"Gt;", "\u226b"}};
  std::string out;
  while (!s.empty()) {
    out += s[0];
    s.remove_prefix(1);
    if (out.back() != '&' || s.empty()) continue;
    std::string character;
    size_t size = s[0] == '#' ? numbered_entity(s, character) : 0;
    for (const auto& [name, text] : kNames) {
      if (size || !s.starts_with(name)) continue;
      character = text;
      size = name.size() + (s.size() > name.size() && s[name.size()] == ';');
    }
    if (!size) continue;
    out.pop_back();
    out += character;
    s.remove_prefix(size);
  }
  return out;
}

Value f_striptags(Interpreter& in, const Value& v, Args&) {
  const std::string s = without_between(without_between(in.str(v), "<!--", "-->"), "<", ">");
  in.charge(int64_t(s.size()));
  std::string out;
  for (std::string_view rest = strip_left(s); !rest.empty(); rest = strip_left(rest)) {
    size_t end = 0;
    while (end < rest.size() && strip_left(rest.substr(end)).size() == rest.size() - end) ++end;
    if (!out.empty()) out += ' ';
    out += rest.substr(0, end);
    rest.remove_prefix(end);
  }
  return in.text(unescape_entities(out));
}

Value f_xmlattr(Interpreter& in, const Value& v, Args& args) {
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_dict()) fail(Code::bad_argument, "template: xmlattr of a %s", v.type_name());
  const auto escaped = [&](const Value& part) {
    Args none;
    return f_escape(in, part, none).string();
  };
  std::string out;
  for (const auto& [key, value] : v.pairs()) {
    if (value.is_none() || value.is_undefined()) continue;
    if (!key.is_string()) fail(Code::bad_argument, "template: an attribute's name is a %s", key.type_name());
    if (key.string().find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
      fail(Code::bad_argument, "template: '%.60s' is no name of an attribute", key.string().c_str());
    }
    out += (out.empty() ? "" : " ") + escaped(key) + "=\"" + escaped(value) + "\"";
    in.charge(int64_t(out.size()) / 8);
  }
  const Value* space = args.find(0, "autospace");
  const bool leading = !out.empty() && (!space || in.truth(*space));
  return in.text(leading ? " " + out : out);
}

std::string quoted(std::string_view text, std::string_view also_safe) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("_.-~").find(c) != std::string_view::npos ||
                       also_safe.find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      ((out += '%') += "0123456789ABCDEF"[uint8_t(c) >> 4]) += "0123456789ABCDEF"[uint8_t(c) & 15];
  }
  return out;
}

std::string query_part(Interpreter& in, const Value& v) {
  std::string s = quoted(in.str(v), "");
  for (size_t at = s.find("%20"); at != std::string::npos; at = s.find("%20", at)) s.replace(at, 3, "+");
  return s;
}

Value f_urlencode(Interpreter& in, const Value& v, Args&) {
  const bool single = v.is_string() || v.is_number() || v.is_none();
  if (single) return in.text(quoted(in.str(v), "/"));
  std::vector<Value> pairs;
  if (v.is_dict()) {
    for (const auto& [key, value] : v.pairs()) pairs.push_back(Value::list({key, value}, true));
  } else {
    pairs = in.to_list(v);
  }
  std::string out;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const std::vector<Value> both = in.to_list(pairs[i]);
    if (both.size() != 2) fail(Code::bad_argument, "template: urlencode needs pairs");
    out += (i ? "&" : "") + query_part(in, both[0]) + "=" + query_part(in, both[1]);
    in.charge(int64_t(out.size()) / 8);
  }
  return in.text(std::move(out));
}

constexpr FunctionRow kFilters[] = {
    {"e", f_escape},
    {"escape", f_escape},
    {"forceescape", f_forceescape},
    {"safe", f_safe},
    {"striptags", f_striptags},
    {"urlencode", f_urlencode},
    {"urlize", f_urlize, "trim_url_limit? nofollow? target? rel? extra_schemes?"},
    {"xmlattr", f_xmlattr, "autospace?"},
};

}  // namespace

std::span<const FunctionRow> markup_filters() { return kFilters; }

}  // namespace loam::jinja
