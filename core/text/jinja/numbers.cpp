// Numbers in texts, as Python reads them.
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "core/error.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

// Digits without the single underscores between them; empty where they stand elsewhere.
std::string without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool inner =
        i > 0 && i + 1 < text.size() && std::isalnum(uint8_t(text[i - 1])) && std::isalnum(uint8_t(text[i + 1]));
    if (text[i] != '_')
      out += text[i];
    else if (!inner)
      return {};
  }
  return out;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  std::string s = without_underscores(strip_right(strip_left(text)));
  if (s.empty() || base < 0 || base == 1 || base > 36) return std::nullopt;
  const size_t first = s[0] == '+' || s[0] == '-';
  if (first >= s.size() || !std::isalnum(uint8_t(s[first]))) return std::nullopt;
  const char letter = s[first] == '0' && first + 1 < s.size() ? char(s[first + 1] | 32) : ' ';
  const int prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (prefixed && (base == prefixed || base == 0)) {
    s.erase(first, 2);
    base = prefixed;
    if (first >= s.size()) return std::nullopt;
  } else if (base == 0) {
    base = 10;
    if (s[first] == '0' && s.find_first_not_of('0', first) != std::string::npos) return std::nullopt;
  }
  errno = 0;
  char* end = nullptr;
  const long long value = std::strtoll(s.c_str(), &end, int(base));
  if (*end) return std::nullopt;
  if (errno) fail(Code::bad_argument, "template: the integer %.60s is too large", s.c_str());
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  const std::string s = without_underscores(strip_right(strip_left(text)));
  if (s.empty() || s.find_first_of("xXpP(") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(s.c_str(), &end);
  return *end ? std::nullopt : std::optional(value);
}

}  // namespace loam::jinja
