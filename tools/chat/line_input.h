// One line from the user: edited where standard input is a terminal and libedit is there, plain otherwise.
#pragma once
#include <optional>
#include <string>

namespace loam {

// Nothing at the end of input, or where Ctrl-C interrupted it (interrupted() then says so).
std::optional<std::string> read_line(const char* prompt, bool terminal);

}  // namespace loam
