// XXH3 over spans, and over the data of a container with all threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/progress.h"

namespace loam {

struct Hash128 {
  uint64_t low = 0, high = 0;
  bool operator==(const Hash128&) const = default;
};

uint64_t hash64(std::span<const std::byte> bytes);
Hash128 hash128(std::span<const std::byte> bytes);
// "xxh3-128:" and 32 digits, high half first, as `xxh128sum` prints it.
std::string hash_text(Hash128 hash);

struct DataHashes {
  std::vector<uint64_t> chunks;  // of each 16 MiB of the data
  std::vector<Hash128> tensors;
};
// Hashes chunks of `data` and tensors side by side, in file order.
DataHashes hash_data(std::span<const std::byte> data, std::span<const std::span<const std::byte>> tensors,
                     const Progress& progress = {});

}  // namespace loam
