#include "tools/convert/source.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace loam {

namespace fs = std::filesystem;

FileKind kind_of_file(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return FileKind::folder;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) fail(Code::io, "%s: cannot open it: %s", path.c_str(), std::strerror(errno));
  char head[8] = {};
  const size_t size = std::fread(head, 1, sizeof head, file);
  std::fclose(file);
  if (size >= 4 && std::memcmp(head, "GGUF", 4) == 0) return FileKind::gguf;
  if (size >= 5 && std::memcmp(head, "\x89LOAM", 5) == 0) return FileKind::loam;
  if (path.ends_with(".safetensors") || path.ends_with(".safetensors.index.json")) return FileKind::safetensors;
  fail(Code::bad_file, "%s: not a model: expected a .loam or .gguf file, or a folder with config.json and .safetensors",
       path.c_str());
}

void refuse_pre(const std::string& path, FileKind kind, const std::string& pre) {
  if (pre.empty() || kind != FileKind::loam) return;
  fail(Code::bad_argument, "%s: --pre names how a source's text is split; a .loam file says its own", path.c_str());
}

std::unique_ptr<Source> open_source(const std::string& path, const std::string& pre) {
  const FileKind kind = kind_of_file(path);
  refuse_pre(path, kind, pre);
  switch (kind) {
    case FileKind::loam:
      fail(Code::bad_argument, "%s: is a .loam file already; convert from its source instead", path.c_str());
    case FileKind::gguf: return open_gguf_source(path, pre);
    case FileKind::safetensors:
    case FileKind::folder: break;
  }
  return open_hugging_face_source(path, pre);
}

}  // namespace loam
