#include "tools/cli/files.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/error.h"

namespace loam {

std::string read_text_file(const std::string& path) {
  constexpr uint64_t kMost = 256u << 20;
  std::ifstream in(path, std::ios::binary);
  std::error_code no_size;  // of a pipe
  const uint64_t size = std::filesystem::file_size(path, no_size);
  std::string text, part(64 << 10, '\0');
  if (!no_size && size <= kMost) text.reserve(size);
  while (in && text.size() <= kMost) {
    in.read(part.data(), std::streamsize(part.size()));
    text.append(part, 0, size_t(in.gcount()));
  }
  if (!in.eof() && text.size() > kMost)
    fail(Code::bad_file, "%s: more than %llu bytes are too many", path.c_str(), (unsigned long long)kMost);
  if (!in.eof()) fail(Code::io, "%s: cannot read it", path.c_str());
  return text;
}

std::string read_standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

}  // namespace loam
