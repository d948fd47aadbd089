#include "formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace loam {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

int open_for_reading(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // not blocked by a pipe's open
  if (fd >= 0) return fd;
  if (errno == ENOENT) fail(Code::io, "%s: no such file; check the path", path.c_str());
  if (errno == EACCES) fail(Code::io, "%s: no permission to read it", path.c_str());
  fail(Code::io, "%s: cannot open it: %s", path.c_str(), std::strerror(errno));
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Descriptor file{open_for_reading(path)};
  struct stat info;
  if (::fstat(file.fd, &info) != 0) fail(Code::io, "%s: %s", path.c_str(), std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail(Code::bad_file, "%s: is a folder, expected a file", path.c_str());
  if (!S_ISREG(info.st_mode)) fail(Code::bad_file, "%s: is not a regular file, it cannot be mapped", path.c_str());
  if (info.st_size == 0) fail(Code::bad_file, "%s: is empty (0 bytes); fetch it again", path.c_str());
  void* address = ::mmap(nullptr, size_t(info.st_size), PROT_READ, MAP_SHARED, file.fd, 0);
  if (address == MAP_FAILED) {
    fail(errno == ENOMEM ? Code::out_of_memory : Code::io, "%s: cannot map %lld bytes: %s", path.c_str(),
         (long long)info.st_size, std::strerror(errno));
  }
  bytes_ = {static_cast<const std::byte*>(address), size_t(info.st_size)};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::swap(MappedFile& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
}

}  // namespace loam
