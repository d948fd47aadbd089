// Text helpers with Python's rules.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace loam::jinja {

// Without whitespace (Python's str.isspace) at an end, or without the characters of `set` where one is given.
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
std::string_view strip_left(std::string_view text, std::string_view set);
std::string_view strip_right(std::string_view text, std::string_view set);

bool is_space(uint32_t code);
bool is_cased(uint32_t code);
std::string escape(std::string_view text);  // & < > ' " for HTML
// Python's int() and float() of a text; empty: it is none. An integer over 63 bits is an Error.
std::optional<int64_t> parse_integer(std::string_view text, int64_t base);
std::optional<double> parse_real(std::string_view text);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string fold_case(std::string_view text);
std::string title(std::string_view text);  // as the filter does it: after spaces and - ( { [ <

// The escapes of a string literal.
std::string unescape(std::string_view text, int line);

}  // namespace loam::jinja
