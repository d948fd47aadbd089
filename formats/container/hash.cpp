#include "formats/container/hash.h"

#include <sys/mman.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>

#include "core/error.h"
#include "formats/container/layout.h"

namespace loam {
namespace {

// Pages of a mapping are fetched in one go, not fault by fault. Only a hint: it may fail (older kernels).
void fetch_pages(std::span<const std::byte> bytes) {
#ifdef MADV_POPULATE_READ
  const uintptr_t begin = reinterpret_cast<uintptr_t>(bytes.data()) / container::kPage * container::kPage;
  const uintptr_t end = reinterpret_cast<uintptr_t>(bytes.data()) + bytes.size();
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
#else
  (void)bytes;
#endif
}

// Says how far it is from inside a parallel region, where nothing may throw.
class SharedProgress {
 public:
  SharedProgress(const Progress& progress, uint64_t total) : progress_(progress), total_(total) {}
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void add(uint64_t bytes) {
    if (!progress_) return;
#pragma omp critical(loam_hash_progress)
    {
      done_ += bytes;
      try {
        if (!stopped() && !progress_(done_, total_)) stopped_ = true;
      } catch (...) {
        thrown_ = std::current_exception();
        stopped_ = true;
      }
    }
  }
  // Behind the region: throws what the callback threw, or that it cancelled.
  void finish() const {
    if (thrown_) std::rethrow_exception(thrown_);
    if (stopped()) fail(Code::cancelled, "cancelled while checking the data");
  }

 private:
  const Progress& progress_;
  uint64_t total_, done_ = 0;
  std::atomic<bool> stopped_{false};
  std::exception_ptr thrown_;
};

}  // namespace

uint64_t hash64(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 hash128(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::string hash_text(Hash128 hash) {
  char text[48];
  std::snprintf(text, sizeof text, "xxh3-128:%016llx%016llx", (unsigned long long)hash.high,
                (unsigned long long)hash.low);
  return text;
}

DataHashes hash_data(std::span<const std::byte> data, std::span<const std::span<const std::byte>> tensors,
                     const Progress& progress) {
  const size_t chunks = (data.size() + container::kChunkBytes - 1) / container::kChunkBytes;
  std::vector<std::span<const std::byte>> parts;
  parts.reserve(chunks + tensors.size());
  for (size_t i = 0; i < chunks; ++i) {
    const uint64_t begin = i * container::kChunkBytes;
    parts.push_back(data.subspan(begin, std::min(container::kChunkBytes, data.size() - begin)));
  }
  parts.insert(parts.end(), tensors.begin(), tensors.end());
  std::vector<size_t> order(parts.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return parts[a].data() < parts[b].data(); });

  uint64_t total = 0;
  for (const auto& part : parts) total += part.size();
  SharedProgress shared(progress, total);
  DataHashes hashes{std::vector<uint64_t>(chunks), std::vector<Hash128>(tensors.size())};
#pragma omp parallel for schedule(dynamic) if (order.size() > 1)
  for (size_t i = 0; i < order.size(); ++i) {
    if (shared.stopped()) continue;
    const size_t which = order[i];
    if (which < chunks) {
      fetch_pages(parts[which]);
      hashes.chunks[which] = hash64(parts[which]);
    } else {
      hashes.tensors[which - chunks] = hash128(parts[which]);
    }
    shared.add(parts[which].size());
  }
  shared.finish();
  return hashes;
}

}  // namespace loam
