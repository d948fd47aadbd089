#include "tools/chat/line_input.h"

#include <cstdio>
#include <cstdlib>

#ifdef LOAM_EDITLINE
#include <editline/readline.h>
#endif
#include <unistd.h>

#include "tools/cli/interrupt.h"

namespace loam {
namespace {

// read(2) rather than stdio: Ctrl-C must end the wait, and nothing may be lost between lines.
std::optional<std::string> plain_line() {
  static std::string buffer;
  while (true) {
    const size_t end = buffer.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    char bytes[4096];
    const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) {
      buffer.append(bytes, size_t(n));
      continue;
    }
    if (n < 0 && interrupted()) return std::nullopt;
    if (n < 0 || buffer.empty()) return std::nullopt;
    std::string last;
    last.swap(buffer);
    return last;
  }
}

}  // namespace

std::optional<std::string> read_line(const char* prompt, bool terminal) {
  if (!terminal) return plain_line();
#ifdef LOAM_EDITLINE
  char* line = readline(prompt);
  if (!line) return std::nullopt;
  std::string text = line;
  if (!text.empty()) add_history(line);
  std::free(line);
  return text;
#else
  std::fputs(prompt, stderr);
  std::fflush(stderr);
  return plain_line();
#endif
}

}  // namespace loam
