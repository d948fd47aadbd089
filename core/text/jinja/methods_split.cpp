// Methods of str that take texts apart.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;

// A word at an end of `s`.
std::string_view first_word(std::string_view s) {
  size_t at = 0;
  while (at < s.size()) {
    const Char c = decode_utf8(s, at);
    if (is_space(c.code)) break;
    at += c.bytes;
  }
  return s.substr(0, at);
}
std::string_view last_word(std::string_view s) {
  size_t begin = s.size();
  while (begin > 0) {
    size_t before = begin - 1;
    while (before > 0 && begin - before < 4 && (uint8_t(s[before]) & 0xc0) == 0x80) --before;
    if (before + decode_utf8(s, before).bytes != begin) before = begin - 1;
    if (is_space(decode_utf8(s, before).code)) break;
    begin = before;
  }
  return s.substr(begin);
}

// Splits at whitespace; the rest after `most` cuts stays whole.
List split_spaces(Interpreter& in, const Value& self, int64_t most, bool from_right) {
  List out;
  std::string_view s = from_right ? strip_right(self.string()) : strip_left(self.string());
  while (!s.empty()) {
    in.step();
    const bool rest = most-- == 0;
    const std::string_view word = rest ? (from_right ? s : s) : from_right ? last_word(s) : first_word(s);
    out.emplace_back(std::string(word), self.is_markup());
    if (rest) break;
    s = from_right ? strip_right(s.substr(0, s.size() - word.size())) : strip_left(s.substr(word.size()));
  }
  return out;
}

List split_at(Interpreter& in, const Value& self, const std::string& by, int64_t most, bool from_right) {
  List out;
  std::string_view s = self.string();
  for (; most != 0; --most) {
    const size_t at = from_right ? s.rfind(by) : s.find(by);
    if (at == std::string_view::npos) break;
    in.step();
    out.emplace_back(std::string(from_right ? s.substr(at + by.size()) : s.substr(0, at)), self.is_markup());
    s = from_right ? s.substr(0, at) : s.substr(at + by.size());
  }
  out.emplace_back(std::string(s), self.is_markup());
  return out;
}

Value split_method(Interpreter& in, const Value& self, const Args& args, bool from_right) {
  const Value* separator = args.given(0, "sep");
  const int64_t most = args.integer(1, "maxsplit", -1);
  in.step(int64_t(self.string().size() / 64));
  List out;
  if (!separator) {
    out = split_spaces(in, self, most, from_right);
  } else {
    if (!separator->is_string() || separator->string().empty()) {
      fail(Code::bad_argument, "template: split at an empty separator");
    }
    out = split_at(in, self, separator->string(), most, from_right);
  }
  if (from_right) std::reverse(out.begin(), out.end());
  return Value::list(std::move(out));
}
Value s_split(Interpreter& in, const Value& v, Args& args) { return split_method(in, v, args, false); }
Value s_rsplit(Interpreter& in, const Value& v, Args& args) { return split_method(in, v, args, true); }

Value s_splitlines(Interpreter& in, const Value& v, Args& args) {
  const std::string& s = v.string();
  const Value* keepends = args.find(0, "keepends");
  const bool keep = keepends && in.truth(*keepends);
  List out;
  size_t begin = 0;
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    size_t end = at + c.bytes;
    const bool breaks = (c.code >= 10 && c.code <= 13) || (c.code >= 0x1c && c.code <= 0x1e) || c.code == 0x85 ||
                        c.code == 0x2028 || c.code == 0x2029;
    if (c.code == '\r' && end < s.size() && s[end] == '\n') ++end;
    if (breaks) {
      in.step();
      out.emplace_back(s.substr(begin, (keep ? end : at) - begin), v.is_markup());
      begin = end;
    }
    at = end;
  }
  if (begin < s.size()) out.emplace_back(s.substr(begin), v.is_markup());
  in.step(int64_t(s.size() / 64));
  return Value::list(std::move(out));
}

Value partition_method(Interpreter& in, const Value& v, const Args& args, bool last) {
  if (!args.positional[0].is_string()) fail(Code::bad_argument, "template: partition() needs a str");
  const std::string &s = v.string(), &by = args.positional[0].string();
  if (by.empty()) fail(Code::bad_argument, "template: partition() at an empty separator");
  const auto piece = [&](std::string text) { return in.text(std::move(text), v.is_markup()); };
  const size_t at = last ? s.rfind(by) : s.find(by);
  if (at == std::string::npos) {
    return last ? Value::list({piece(""), piece(""), v}, true) : Value::list({v, piece(""), piece("")}, true);
  }
  return Value::list({piece(s.substr(0, at)), piece(by), piece(s.substr(at + by.size()))}, true);
}
Value s_partition(Interpreter& in, const Value& v, Args& args) { return partition_method(in, v, args, false); }
Value s_rpartition(Interpreter& in, const Value& v, Args& args) { return partition_method(in, v, args, true); }

constexpr FunctionRow kMethods[] = {
    {"partition", s_partition, "/sep"},        {"rpartition", s_rpartition, "/sep"},
    {"rsplit", s_rsplit, "sep? maxsplit?"},    {"split", s_split, "sep? maxsplit?"},
    {"splitlines", s_splitlines, "keepends?"},
};

}  // namespace

std::span<const FunctionRow> split_methods() { return kMethods; }

}  // namespace loam::jinja
