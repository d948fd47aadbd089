// The footer of a .loam as bytes.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/metadata.h"
#include "core/types/type.h"
#include "formats/container/hash.h"
#include "formats/container/provenance.h"

namespace loam {

struct FooterTensor {
  std::string name;
  const TypeInfo* type;
  int64_t experts, n, k;
  bool vector;
  uint64_t offset, size;
  Hash128 hash;
};

// `tensors` must be sorted by name. `sections` are added as they are.
std::string encode_footer(std::span<const FooterTensor> tensors, std::span<const uint64_t> chunk_hashes,
                          const Metadata& metadata, const Provenance& provenance,
                          std::map<std::string, std::string> sections);

}  // namespace loam
