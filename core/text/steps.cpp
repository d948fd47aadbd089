// Helpers shared by the makers of tokenizer steps.
#include "core/text/steps.h"

#include <array>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/regex.h"
#include "core/text/unicode.h"

namespace loam {

std::string step_type(const char* kind, const Json& step) {
  if (!step.is_object() || !step.contains("type") || !step["type"].is_string()) {
    fail(Code::bad_file, "tokenizer: a %s has no type", kind);
  }
  return step["type"].get<std::string>();
}

bool bool_field(const Json& step, const char* name, bool otherwise) {
  const Json* const it = step.find(name);
  if (!it || it->is_null()) return otherwise;
  if (!it->is_boolean()) fail(Code::bad_file, "tokenizer: '%s' is not true or false", name);
  return it->get<bool>();
}

std::string string_field(const Json& step, const char* name) {
  const Json* const it = step.find(name);
  if (!it || it->is_null()) return {};
  if (!it->is_string()) fail(Code::bad_file, "tokenizer: '%s' is not a string", name);
  return it->get<std::string>();
}

std::string pattern_field(const Json& step, const char* name, bool& is_regex) {
  const Json* const it = step.find(name);
  if (it && it->is_object()) {
    is_regex = it->contains("Regex");
    if (is_regex || it->contains("String")) return string_field(*it, is_regex ? "Regex" : "String");
  }
  fail(Code::bad_file, "tokenizer: '%s' is neither {\"String\": text} nor {\"Regex\": text}", name);
}

std::function<bool(std::string& text)> make_replacer(const Json& step) {
  bool is_regex = false;
  const std::string from = pattern_field(step, "pattern", is_regex), to = string_field(step, "content");
  if (!is_regex && !from.empty()) {
    return [from, to](std::string& text) {
      const bool removed = to.empty() && text.starts_with(from);
      replace_all(text, from, to);
      return removed;
    };
  }
  return [pattern = Regex(from), to](std::string& text) {
    if (text.empty()) return false;
    bool removed = false;
    std::string out;
    size_t done = 0;
    RegexSearch search(pattern, text);
    for (Regex::Match m{}; search.next(m); done = m.end) {
      removed |= to.empty() && m.begin == 0 && m.end > 0;
      out.append(text, done, m.begin - done).append(to);
    }
    text = out.append(text, done);
    return removed;
  };
}

void fail_unknown_step(const char* kind, const std::string& type) {
  fail(Code::unsupported, "tokenizer: the %s '%.100s' is not known to this version of Loam", kind, type.c_str());
}

const uint16_t* byte_to_char() {
  static const auto table = [] {
    std::array<uint16_t, 256> chars{};
    uint16_t next = 256;  // bytes that are not printable Latin-1 characters take the places after it
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      chars[size_t(b)] = printable ? uint16_t(b) : next++;
    }
    return chars;
  }();
  return table.data();
}

void append_byte_chars(std::string& out, std::string_view bytes) {
  struct Form {
    char text[2];
    uint8_t size;
  };
  static const auto table = [] {
    std::array<Form, 256> forms{};
    for (size_t b = 0; b < 256; ++b) {
      std::string text;
      append_utf8(text, byte_to_char()[b]);
      forms[b] = {{text[0], text.size() > 1 ? text[1] : '\0'}, uint8_t(text.size())};
    }
    return forms;
  }();
  const size_t begin = out.size();
  out.resize(begin + 2 * bytes.size());
  char* to = out.data() + begin;
  for (const char c : bytes) {
    const Form& form = table[uint8_t(c)];
    to[0] = form.text[0];
    to[1] = form.text[1];  // the next one overwrites it where it is not part of this
    to += form.size;
  }
  out.resize(size_t(to - out.data()));
}

int char_to_byte(uint32_t code) {
  static const auto table = [] {
    std::array<int16_t, 512> bytes{};
    bytes.fill(-1);
    for (int b = 0; b < 256; ++b) bytes[byte_to_char()[b]] = int16_t(b);
    return bytes;
  }();
  return code < table.size() ? table[code] : -1;
}

int byte_token_value(std::string_view token) {
  const auto digit = [](char c) {
    const char lower = char(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int high = digit(token[3]), low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  text = out.append(text, done);
}

}  // namespace loam
