// str(), repr() and JSON of values, letter for letter as Python writes them.
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text/jinja/value.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

void append_hex(std::string& out, const char* prefix, uint32_t code, int digits) {
  out += prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[code >> shift & 15];
}

bool printable(uint32_t code) {
  if (code == ' ') return true;
  switch (utf8proc_category(utf8proc_int32_t(code))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
  }
}

std::string string_repr(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos, has_double = text.find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code == uint32_t(quote) || c.code == '\\')
      (out += '\\') += char(c.code);
    else if (c.code == '\n')
      out += "\\n";
    else if (c.code == '\r')
      out += "\\r";
    else if (c.code == '\t')
      out += "\\t";
    else if (c.code >= kInvalidByte)
      append_hex(out, "\\x", c.code - kInvalidByte, 2);
    else if (printable(c.code))
      out.append(text, at, c.bytes);
    else if (c.code < 0x100)
      append_hex(out, "\\x", c.code, 2);
    else if (c.code < 0x10000)
      append_hex(out, "\\u", c.code, 4);
    else
      append_hex(out, "\\U", c.code, 8);
    at += c.bytes;
  }
  return out += quote;
}

std::string joined_repr(const std::vector<Value>& items) {
  std::string out;
  for (const Value& item : items) {
    if (!out.empty()) out += ", ";
    out += item.repr();
  }
  return out;
}

void json_string(std::string& out, const std::string& text, bool ensure_ascii) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    const char* escapes = "\"\"\\\\\bb\ff\nn\rr\tt";
    const char* escape = nullptr;
    for (const char* e = escapes; *e; e += 2) {
      if (c.code == uint32_t(uint8_t(*e))) escape = e;
    }
    if (escape)
      (out += '\\') += escape[1];
    else if (c.code < 0x20 || (ensure_ascii && c.code == 0x7f))
      append_hex(out, "\\u", c.code, 4);
    else if (c.code < 0x80 || !ensure_ascii || c.code >= kInvalidByte)
      out.append(text, at, c.bytes);
    else if (c.code < 0x10000)
      append_hex(out, "\\u", c.code, 4);
    else {
      append_hex(out, "\\u", 0xd800 + ((c.code - 0x10000) >> 10), 4);
      append_hex(out, "\\u", 0xdc00 + ((c.code - 0x10000) & 0x3ff), 4);
    }
    at += c.bytes;
  }
  out += '"';
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}
  void write(const Value& v, int level) {
    if (v.is_none())
      out += "null";
    else if (v.is_bool())
      out += v.integer() ? "true" : "false";
    else if (v.is_int())
      out += std::to_string(v.integer());
    else if (v.is_real())
      out += json_real(v.real());
    else if (v.is_string())
      json_string(out, v.string(), style_.ensure_ascii);
    else if (v.is_list())
      write_list(v, level);
    else if (v.is_dict())
      write_dict(v, level);
    else
      fail(Code::bad_argument, "template: a value of type %s is not JSON serializable", v.type_name());
  }
  std::string out;

 private:
  static std::string json_real(double value) {
    if (value != value) return "NaN";
    if (std::abs(value) == HUGE_VAL) return value < 0 ? "-Infinity" : "Infinity";
    return real_text(value);
  }
  void line(int level) {
    if (!style_.lines) return;
    out += '\n';
    for (int i = 0; i < level; ++i) out += style_.indent;
  }
  void write_list(const Value& v, int level) {
    if (v.items().empty()) return void(out += "[]");
    out += '[';
    bool first = true;
    for (const Value& item : v.items()) {
      if (!first) out += style_.item_separator;
      first = false;
      line(level + 1);
      write(item, level + 1);
    }
    line(level);
    out += ']';
  }
  static std::string key_text(const Value& key) {
    if (key.is_string()) return key.string();
    if (key.is_none()) return "null";
    if (key.is_bool()) return key.integer() ? "true" : "false";
    if (key.is_real()) return json_real(key.real());
    if (key.is_int()) return key.text();
    fail(Code::bad_argument, "template: a JSON key cannot be a %s", key.type_name());
  }
  void write_dict(const Value& v, int level) {
    if (v.pairs().empty()) return void(out += "{}");
    std::vector<const std::pair<Value, Value>*> order;
    for (const auto& pair : v.pairs()) order.push_back(&pair);
    if (style_.sort_keys) {
      std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return less(a->first, b->first); });
    }
    out += '{';
    bool first = true;
    for (const auto* pair : order) {
      if (!first) out += style_.item_separator;
      first = false;
      line(level + 1);
      json_string(out, key_text(pair->first), style_.ensure_ascii);
      out += style_.key_separator;
      write(pair->second, level + 1);
    }
    line(level);
    out += '}';
  }
  JsonStyle style_;
};

}  // namespace

// Python's repr of a float: the shortest digits that read back; an exponent below 1e-4 and from 1e16.
std::string real_text(double value) {
  if (value != value) return "nan";
  if (std::abs(value) == HUGE_VAL) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto scientific = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string text(buffer, scientific.ptr);
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent < -4 || exponent >= 16) return text;
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  std::string out(buffer, fixed.ptr);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string Value::text() const {
  if (is_undefined()) return "";
  return is_string() ? string() : repr();
}

std::string Value::repr() const {
  if (is_undefined()) return "Undefined";
  if (is_markup()) return "Markup(" + string_repr(string()) + ")";
  if (is_none()) return "None";
  if (is_bool()) return integer() ? "True" : "False";
  if (is_int()) return std::to_string(integer());
  if (is_real()) return real_text(real());
  if (is_string()) return string_repr(string());
  if (is_tuple()) return "(" + joined_repr(items()) + (items().size() == 1 ? ",)" : ")");
  if (is_list()) return "[" + joined_repr(items()) + "]";
  if (is_object()) return object()->repr();
  std::string out = "{";
  for (const auto& [key, value] : pairs()) {
    if (out.size() > 1) out += ", ";
    out += key.repr() + ": " + value.repr();
  }
  return out + "}";
}

std::string to_json(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  writer.write(value, 0);
  return std::move(writer.out);
}

}  // namespace loam::jinja
