// The one validator of the container: whoever opens a .loam goes through it. It checks everything but the hashes of
// the data, with checked arithmetic, and allocates nothing that the file's bytes do not back.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metadata.h"
#include "core/model_source.h"
#include "formats/container/hash.h"
#include "formats/container/layout.h"
#include "formats/container/provenance.h"

namespace loam {

// A checked container; views into the file's bytes.
struct ContainerView {
  struct Section {
    std::string_view name;
    std::span<const std::byte> bytes;
  };
  uint32_t version = 0;
  uint64_t optional_features = 0;
  std::span<const std::byte> data;  // between preamble and footer
  std::vector<Section> sections;    // sorted by name
  Metadata metadata;
  Provenance provenance;
  std::vector<StoredTensor> tensors;   // sorted by name
  std::vector<Hash128> tensor_hashes;  // of tensors, same order
  std::vector<uint64_t> chunk_hashes;

  const Section* find(std::string_view name) const;  // null: not there
};

ContainerView validate_container(std::span<const std::byte> file, const std::string& path);

// Bytes of a tensor as stored: [experts, n, k] in row blocks, or an array of f32. Fails with bad_argument on shapes
// that make no sense.
uint64_t stored_bytes(const TypeInfo& type, int64_t experts, int64_t n, int64_t k, bool vector);
// What a tensor's name may be: 1 to 1024 bytes without control characters.
bool valid_tensor_name(std::string_view name);

}  // namespace loam
