// Helpers shared by the makers of tokenizer steps.
#include "core/text/steps.h"

#include <array>

#include "core/error.h"

namespace loam {

std::string step_type(const char* kind, const Json& step) {
  if (!step.is_object() || !step.contains("type") || !step["type"].is_string()) {
    fail(Code::bad_file, "tokenizer: a %s has no type", kind);
  }
  return step["type"].get<std::string>();
}

bool bool_field(const Json& step, const char* name, bool otherwise) {
  const auto it = step.find(name);
  if (it == step.end() || it->is_null()) return otherwise;
  if (!it->is_boolean()) fail(Code::bad_file, "tokenizer: '%s' is not true or false", name);
  return it->get<bool>();
}

std::string string_field(const Json& step, const char* name) {
  const auto it = step.find(name);
  if (it == step.end() || it->is_null()) return {};
  if (!it->is_string()) fail(Code::bad_file, "tokenizer: '%s' is not a string", name);
  return it->get<std::string>();
}

std::string pattern_field(const Json& step, const char* name, bool& is_regex) {
  const auto it = step.find(name);
  if (it != step.end() && it->is_object()) {
    is_regex = it->contains("Regex");
    const std::string text = string_field(*it, is_regex ? "Regex" : "String");
    if (!text.empty()) return text;
  }
  fail(Code::bad_file, "tokenizer: '%s' is neither {\"String\": text} nor {\"Regex\": text}", name);
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
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
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
