// A whole file mapped read-only into memory; unmapped when the object goes.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace loam {

class MappedFile {
 public:
  MappedFile() = default;
  // Fails with Error{io} (missing, no permission) or Error{bad_file} (a folder, empty, not a regular file).
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept { swap(other); }
  MappedFile& operator=(MappedFile&& other) noexcept {
    swap(other);
    return *this;
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  void swap(MappedFile& other) noexcept;

  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace loam
