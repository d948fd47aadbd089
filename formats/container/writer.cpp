#include "formats/container/writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "formats/byte_reader.h"
#include "formats/container/footer.h"
#include "formats/container/preamble.h"
#include "formats/container/validate.h"
#include "formats/mapped_file.h"

namespace loam {
namespace {

using namespace container;
using ull = unsigned long long;

[[noreturn]] void write_failed(const std::string& part, uint64_t needed) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    fail(Code::io, "%s: no room for a file of %llu bytes (%s); free some space or choose another folder", part.c_str(),
         (ull)needed, std::strerror(error));
  }
  fail(Code::io, "%s: cannot write: %s", part.c_str(), std::strerror(error));
}

}  // namespace

LoamWriter::LoamWriter(const std::string& path, std::vector<TensorPlan> plan) : path_(path), part_(path + ".part") {
  plan_offsets(std::move(plan));
  create_part();
  try {
    reserve_space();
    const Preamble preamble = writing_preamble();
    write_at(0, std::as_bytes(std::span(&preamble, 1)));
  } catch (...) {  // no destructor runs for an unfinished object
    ::unlink(part_.c_str());
    ::close(fd_);
    throw;
  }
}

LoamWriter::~LoamWriter() {
  if (!sealed_) ::unlink(part_.c_str());
  ::close(fd_);
}

void LoamWriter::plan_offsets(std::vector<TensorPlan> plan) {
  uint64_t at = kPreambleBytes;
  for (TensorPlan& tensor : plan) {
    const std::string name = tensor.name;
    if (!valid_tensor_name(name)) fail(Code::bad_argument, "improper tensor name '%s'", printable(name).c_str());
    if (!tensor.type) fail(Code::bad_argument, "tensor '%s' has no type", name.c_str());
    const uint64_t size = stored_bytes(*tensor.type, tensor.experts, tensor.n, tensor.k, tensor.vector);
    at = align_up(at, tensor_alignment(size));
    if (!tensors_.emplace(name, std::make_unique<Planned>(std::move(tensor), at, size)).second)
      fail(Code::bad_argument, "tensor '%s' is planned twice", name.c_str());
    at += size;
    if (at >> 62) fail(Code::bad_argument, "the tensors take more than 2^62 bytes");
  }
  data_end_ = align_up(at, kAlignment);
}

void LoamWriter::create_part() {
  fd_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) {
    fail(Code::io, "%s: cannot create it: %s%s", part_.c_str(), std::strerror(errno),
         errno == ENOENT ? "; make its folder first" : "");
  }
  // A file left by a killed writer is taken over; one that is locked or already renamed belongs to somebody else.
  struct stat ours, named;
  const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  if (!locked || ::fstat(fd_, &ours) != 0 || ::stat(part_.c_str(), &named) != 0 || ours.st_ino != named.st_ino ||
      !S_ISREG(ours.st_mode)) {
    ::close(fd_);
    fail(Code::io, "%s: another conversion is writing it; wait for it or choose another name", part_.c_str());
  }
}

void LoamWriter::reserve_space() {
  bool ok = ::ftruncate(fd_, 0) == 0 && ::ftruncate(fd_, off_t(data_end_)) == 0;
#ifdef __linux__
  // Fails at once where the disk is too small; file systems without it fail at the first write that finds no room.
  if (ok && ::fallocate(fd_, 0, 0, off_t(data_end_)) != 0) ok = errno != ENOSPC && errno != EDQUOT && errno != EFBIG;
#endif
  if (!ok) write_failed(part_, data_end_);
}

void LoamWriter::write_at(uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), off_t(at));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = ENOSPC;
    if (count <= 0) write_failed(part_, std::max(data_end_, at + bytes.size()));
    at += uint64_t(count);
    bytes = bytes.subspan(size_t(count));
  }
}

LoamWriter::Planned& LoamWriter::planned(std::string_view tensor) const {
  const auto it = tensors_.find(tensor);
  if (it == tensors_.end()) fail(Code::bad_argument, "tensor '%s' was not planned", printable(tensor).c_str());
  return *it->second;
}

uint64_t LoamWriter::tensor_bytes(std::string_view tensor) const { return planned(tensor).size; }

void LoamWriter::write(std::string_view tensor, uint64_t offset, std::span<const std::byte> bytes) {
  Planned& t = planned(tensor);
  if (offset > t.size || bytes.size() > t.size - offset) {
    fail(Code::bad_argument, "%zu bytes at %llu of tensor '%s', which has %llu", bytes.size(), (ull)offset,
         t.plan.name.c_str(), (ull)t.size);
  }
  write_at(t.offset + offset, bytes);
  t.written.fetch_add(bytes.size(), std::memory_order_relaxed);
}

void LoamWriter::set_tokenizer(const TokenizerSpec& spec) {
  for (const TokenizerSection& section : spec.sections()) {
    const char* data = reinterpret_cast<const char*>(section.bytes.data());
    sections_[std::string(kTokenizer) + section.name] = std::string(data, section.bytes.size());
  }
}

void LoamWriter::set_verbatim(std::string_view name, std::string_view text) {
  sections_[std::string(kVerbatim).append(name)] = text;
}

void LoamWriter::check_complete() const {
  for (const auto& [name, t] : tensors_) {
    if (t->written == t->size) continue;
    fail(Code::internal, "tensor '%s' got %llu of its %llu bytes", name.c_str(), (ull)t->written.load(), (ull)t->size);
  }
}

std::string LoamWriter::make_footer(const Progress& progress) {
  const MappedFile file(part_);
  std::vector<std::span<const std::byte>> parts;
  std::vector<FooterTensor> tensors;
  for (const auto& [name, t] : tensors_) parts.push_back(file.bytes().subspan(t->offset, t->size));
  const DataHashes hashes =
      hash_data(file.bytes().subspan(kPreambleBytes, data_end_ - kPreambleBytes), parts, progress);
  for (const auto& [name, t] : tensors_) {
    const TensorPlan& p = t->plan;
    tensors.push_back(
        {name, p.type, p.experts, p.n, p.k, p.vector, t->offset, t->size, hashes.tensors[tensors.size()]});
  }
  return encode_footer(tensors, hashes.chunks, metadata_, provenance_, sections_);
}

void LoamWriter::seal(const Progress& progress) {
  if (sealed_) fail(Code::internal, "%s is sealed already", path_.c_str());
  check_complete();
  const std::string footer = make_footer(progress);
  const auto footer_bytes = std::as_bytes(std::span(footer.data(), footer.size()));
  write_at(data_end_, footer_bytes);
  const Preamble preamble = sealed_preamble(data_end_, footer_bytes);
  if (::fdatasync(fd_) != 0) write_failed(part_, preamble.file_size);  // SEALED must not reach the disk first
  write_at(0, std::as_bytes(std::span(&preamble, 1)));
  validate_container(MappedFile(part_).bytes(), part_);  // never leaves a file that our own reader refuses
  if (::rename(part_.c_str(), path_.c_str()) != 0)
    fail(Code::io, "%s: cannot rename it to %s: %s", part_.c_str(), path_.c_str(), std::strerror(errno));
  sealed_ = true;
}

}  // namespace loam
