#include "core/host_memory.h"

#include <sys/mman.h>

#include "core/machine.h"

namespace loam {

HostBuffer::HostBuffer(size_t bytes) : Buffer(bytes), mapped_((bytes + 4095) / 4096 * 4096) {
  if (mapped_ == 0) mapped_ = 4096;
  void* p = MAP_FAILED;
  if (bytes <= SIZE_MAX / 2)  // beyond, the rounding above has wrapped
    p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    const AvailableMemory free = available_memory();
    fail(Code::out_of_memory,
         "cannot get %.1f MiB of memory, %s allows %.1f MiB: ask for less context or a smaller model",
         double(bytes) / 1048576, free.limit, double(free.bytes) / 1048576);
  }
  data_ = static_cast<std::byte*>(p);
}

void prefer_huge_pages(Buffer& buffer) {
#ifdef MADV_HUGEPAGE
  constexpr size_t kHuge = size_t(2) << 20, kBefore = 4 * kHuge;  // so that one that is hardly begun weighs little
  const uintptr_t begin = reinterpret_cast<uintptr_t>(buffer.host());
  const uintptr_t first = (begin + kBefore + kHuge - 1) / kHuge * kHuge;
  if (begin && first < begin + buffer.size())
    madvise(reinterpret_cast<void*>(first), begin + buffer.size() - first, MADV_HUGEPAGE);
#endif
}

HostBuffer::~HostBuffer() { munmap(data_, mapped_); }

}  // namespace loam
