#include "tools/convert/open.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "formats/container/hash.h"
#include "formats/mapped_file.h"
#include "tools/cli/cache.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/convert/convert.h"

namespace loam {
namespace {

namespace fs = std::filesystem;

constexpr int kRecipe = 2;  // of default conversions: count up when their result changes

std::string key_of_file(const fs::path& path) {
  const MappedFile file(path.string());
  const auto bytes = file.bytes();
  const size_t part = std::min<size_t>(bytes.size(), 1 << 16);
  const auto time = fs::last_write_time(path).time_since_epoch().count();
  return path.string() + '|' + std::to_string(bytes.size()) + '|' + std::to_string(time) + '|' +
         hash_text(hash128(bytes.first(part))) + hash_text(hash128(bytes.last(part)));
}

// The files that a source consists of, sorted.
std::vector<fs::path> files_of(const fs::path& source) {
  std::vector<fs::path> out;
  if (!fs::is_directory(source)) return {source};
  for (const auto& entry : fs::directory_iterator(source)) {
    const fs::path& p = entry.path();
    constexpr const char* kOurs[] = {".safetensors", ".json", ".jinja", ".model", ".tiktoken", ".txt"};
    const bool ours = std::find(std::begin(kOurs), std::end(kOurs), p.extension()) != std::end(kOurs);
    if (ours && entry.is_regular_file() && entry.file_size() > 0) out.push_back(p);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string plain_name(const fs::path& source) {
  std::string name = source.stem().string().substr(0, 60);
  for (char& c : name) c = std::isalnum(uint8_t(c)) || c == '.' || c == '-' || c == '_' ? c : '_';
  return name;
}

}  // namespace

std::string open_or_convert(const std::string& path, const Progress& progress, const std::string& pre) {
  const FileKind kind = kind_of_file(path);
  refuse_pre(path, kind, pre);
  if (kind == FileKind::loam) return path;
  fs::path source = fs::absolute(path).lexically_normal();
  if (source.filename().empty()) source = source.parent_path();
  std::string key = std::to_string(kRecipe) + pre;
  for (const fs::path& file : files_of(kind == FileKind::safetensors ? source.parent_path() : source))
    key += '\n' + key_of_file(file);
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx",
                (unsigned long long)hash64(std::as_bytes(std::span(key.data(), key.size()))));
  const fs::path folder = cache_folder() / "converted", target = folder / (plain_name(source) + "-" + digits + ".loam");
  std::error_code error;
  if (fs::exists(target, error)) return target.string();
  fs::create_directories(folder, error);
  if (error)
    fail(Code::io, "%s: cannot make the cache folder: %s; LOAM_CACHE names another", folder.c_str(),
         error.message().c_str());
  ProgressLine line("converting " + source.filename().string() + " once, into the cache");
  ConvertOptions options;
  options.progress = progress ? progress : [&](uint64_t done, uint64_t total) {
    line.update(done, total);
    return !interrupted();
  };
  convert_model(*open_source(path, pre), target.string(), options);
  return target.string();
}

}  // namespace loam
