// Template text -> tokens, with Jinja's whitespace control as transformers sets it (trim_blocks, lstrip_blocks).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loam::jinja {

enum class TokenType : uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  op,
  end
};

struct Token {
  TokenType type;
  int line;
  std::string text;  // data and strings as they are meant; names, numbers, operators as written
};

// The tokens of a template, `end` last. Comments and whitespace inside tags are gone.
std::vector<Token> tokenize(std::string_view source);

[[noreturn, gnu::format(printf, 2, 3)]] void fail_line(int line, const char* format, ...);

}  // namespace loam::jinja
