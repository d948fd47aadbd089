// The one exception of the project. Thrown while loading, building and converting; never from a kernel.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace loam {

enum class Code {
  bad_argument = 1,
  bad_file,
  unsupported,
  out_of_memory,
  io,
  cancelled,
  context_full,
  device,
  internal
};

struct Error : std::runtime_error {
  Code code;
  Error(Code c, const std::string& what) : std::runtime_error(what), code(c) {}
};

// Throws Error with a printf-formatted text: what was found, what was expected, what to do.
[[noreturn, gnu::format(printf, 2, 3)]] inline void fail(Code code, const char* format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  throw Error(code, text);
}

}  // namespace loam
