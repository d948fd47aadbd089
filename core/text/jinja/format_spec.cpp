#include "core/text/jinja/format_spec.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

constexpr int64_t kMostWidth = 100000, kMostPrecision = 500;

struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', group = 0, kind = 0;
  bool alternate = false, zero = false;
  int64_t width = 0, precision = -1;
};

[[noreturn]] void fail_spec(const std::string& spec, const Value& v) {
  fail(Code::bad_argument, "template: the format ':%.60s' does not fit a %s", spec.c_str(), v.type_name());
}

Spec parse_spec(const std::string& text, const Value& v) {
  Spec spec;
  size_t at = 0;
  const auto is_align = [&](size_t i) {
    return i < text.size() && std::string_view("<>=^").find(text[i]) != std::string_view::npos;
  };
  const auto skip = [&](std::string_view any, char& into) {
    if (at < text.size() && any.find(text[at]) != std::string_view::npos) into = text[at++];
  };
  const auto number = [&](int64_t most) {
    int64_t value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      value = value * 10 + (text[at] - '0');
      if (value > most) fail(Code::bad_argument, "template: a format wider than %d", int(most));
    }
    return value;
  };
  const size_t fill = text.empty() ? 0 : decode_utf8(text, 0).bytes;
  if (fill && is_align(fill)) {
    spec.fill = text.substr(0, fill);
    spec.align = text[fill];
    at = fill + 1;
  } else {
    skip("<>=^", spec.align);
  }
  skip("+- ", spec.sign);
  char flag = 0;
  skip("#", flag);
  spec.alternate = flag != 0;
  const char align_given = spec.align;
  if (at < text.size() && text[at] == '0') {
    ++at;
    spec.zero = true;
    if (!align_given) spec.align = '=';
    if (!align_given || spec.fill == " ") spec.fill = fill && is_align(fill) ? spec.fill : "0";
  }
  spec.width = number(kMostWidth);
  skip(",_", spec.group);
  if (at < text.size() && text[at] == '.') {
    const size_t before = ++at;
    spec.precision = number(kMostPrecision);
    if (at == before) fail_spec(text, v);
  }
  if (at < text.size()) spec.kind = text[at++];
  if (at < text.size()) fail_spec(text, v);
  return spec;
}

std::string aligned(const Spec& spec, const std::string& prefix, const std::string& body, char otherwise) {
  const int64_t missing = spec.width - text_length(prefix) - text_length(body);
  if (missing <= 0) return prefix + body;
  const char align = spec.align ? spec.align : otherwise;
  const auto fill = [&](int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  if (align == '=') return prefix + fill(missing) + body;
  const int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  return fill(left) + prefix + body + fill(missing - left);
}

// Digits with a sign every three (of bases other than ten: four); filled with zeros to the width where asked.
std::string grouped(const Spec& spec, std::string digits, size_t every, int64_t width) {
  if (!spec.group) return digits;
  const auto with_signs = [&](const std::string& s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
      if (i && (s.size() - i) % every == 0) out += spec.group;
      out += s[i];
    }
    return out;
  };
  if (spec.fill == "0" && spec.align == '=') {
    while (int64_t(with_signs(digits).size()) < width) digits.insert(0, 1, '0');
  }
  return with_signs(digits);
}

std::string sign_of(const Spec& spec, bool negative) {
  return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string format_real(const Spec& spec, double value, const std::string& text, const Value& v) {
  const bool percent = spec.kind == '%';
  char kind = percent ? 'f' : spec.kind;
  if (!std::strchr("eEfFgGn", kind ? kind : 'g')) fail_spec(text, v);
  if (kind == 'n') kind = 'g';
  std::string body;
  const double size = std::abs(percent ? value * 100 : value);
  if (!kind && spec.precision < 0) {
    body = real_text(size);
  } else {
    char digits[1200];
    const auto print = [&](const char* how) {
      std::snprintf(digits, sizeof digits, how, int(spec.precision < 0 ? 6 : spec.precision), size);
    };
    const std::string how = std::string("%") + (spec.alternate ? "#" : "") + ".*" + (kind ? kind : 'g');
    print(how.c_str());
    body = digits;
    // Without a type: like g, but with a digit behind the point, and one digit less before the exponent.
    if (!kind && std::isfinite(size) && body.find_first_of("e.") == std::string::npos) {
      const bool exponent = int64_t(body.size()) >= std::max<int64_t>(spec.precision, 1) && size >= 1;
      if (exponent) {
        std::snprintf(digits, sizeof digits, "%.*e", int(std::max<int64_t>(spec.precision, 1) - 1), size);
        body = digits;
        const size_t e = body.find('e');
        size_t last = e;
        while (last > 0 && body.find('.') < e && (body[last - 1] == '0' || body[last - 1] == '.')) {
          if (body[--last] == '.') break;
        }
        body.erase(last, e - last);
      } else {
        body += ".0";
      }
    }
  }
  const std::string prefix = sign_of(spec, std::signbit(value) && value == value);
  const size_t point = std::min(body.find_first_not_of("0123456789"), body.size());
  std::string rest = body.substr(point) + (percent ? "%" : "");
  body = point ? grouped(spec, body.substr(0, point), 3, spec.width - int64_t(prefix.size() + rest.size())) : "";
  return aligned(spec, prefix, body + rest, '>');
}

std::string format_integer(Interpreter& in, const Spec& spec, int64_t value, const std::string& text, const Value& v) {
  if (spec.kind && std::strchr("eEfFgG%", spec.kind)) return format_real(spec, double(value), text, v);
  if (spec.precision >= 0 || (spec.kind && !std::strchr("bcdnoxX", spec.kind))) fail_spec(text, v);
  if (spec.kind == 'c') {
    if (value < 0 || value >= kInvalidByte) fail_spec(text, v);
    std::string one;
    append_utf8(one, uint32_t(value));
    return aligned(spec, "", one, '<');
  }
  in.step();
  uint64_t size = value < 0 ? 0 - uint64_t(value) : uint64_t(value);
  const unsigned base = spec.kind == 'b' ? 2 : spec.kind == 'o' ? 8 : (spec.kind | 32) == 'x' ? 16 : 10;
  std::string digits;
  do {
    digits.insert(0, 1, (spec.kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[size % base]);
  } while (size /= base);
  std::string prefix = sign_of(spec, value < 0);
  if (spec.alternate && base != 10) (prefix += '0') += spec.kind;
  digits = grouped(spec, digits, base == 10 ? 3 : 4, spec.width - int64_t(prefix.size()));
  return aligned(spec, prefix, digits, '>');
}

}  // namespace

std::string format_value(Interpreter& in, const Value& v, const std::string& text) {
  if (text.empty()) return in.str(v);
  if (!v.is_string() && !v.is_number()) fail_spec(text, v);
  const Spec spec = parse_spec(text, v);
  in.charge(spec.width);
  if (v.is_real()) return format_real(spec, v.real(), text, v);
  if (v.is_integral()) return format_integer(in, spec, v.integer(), text, v);
  if ((spec.kind && spec.kind != 's') || spec.sign != '-' || spec.align == '=' || spec.group || spec.alternate) {
    const bool zeros = spec.zero && spec.align == '=';  // "05" fills texts on the right
    if (!zeros || (spec.kind && spec.kind != 's') || spec.sign != '-' || spec.group || spec.alternate)
      fail_spec(text, v);
  }
  std::string s = v.string();
  if (spec.precision >= 0) s.resize(text_offset(s, spec.precision));
  Spec plain = spec;
  if (plain.align == '=') plain.align = '<';
  return aligned(plain, "", s, '<');
}

}  // namespace loam::jinja
