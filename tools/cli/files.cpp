#include "tools/cli/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/error.h"

namespace loam {

namespace {

std::string read_all(std::istream& in, const char* name, uint64_t size) {
  constexpr uint64_t kMost = 256u << 20;
  std::string text, part(64 << 10, '\0');
  if (size <= kMost) text.reserve(size);
  while (in && text.size() <= kMost) {
    in.read(part.data(), std::streamsize(part.size()));
    text.append(part, 0, size_t(in.gcount()));
  }
  if (!in.eof() && text.size() > kMost)
    fail(Code::bad_file, "%s: more than %llu bytes are too many", name, (unsigned long long)kMost);
  if (!in.eof()) fail(Code::io, "%s: cannot read it%s%s", name, errno ? ": " : "", errno ? std::strerror(errno) : "");
  return text;
}

}  // namespace

std::string read_text_file(const std::string& path) {
  std::error_code no_size;  // of a pipe
  const uint64_t size = std::filesystem::file_size(path, no_size);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  return read_all(in, path.c_str(), no_size ? 0 : size);
}

std::string read_standard_input() {
  errno = 0;
  return read_all(std::cin, "standard input", 0);
}

}  // namespace loam
