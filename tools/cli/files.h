// Whole files and standard input as text.
#pragma once
#include <string>

namespace loam {

// A file, or a pipe that has a name. Both fail with Error{io} or, above 256 MiB, Error{bad_file}.
std::string read_text_file(const std::string& path);
std::string read_standard_input();

}  // namespace loam
