// GGUF, versions 2 and 3: metadata and tensors of a mapped file. Everything is checked before it is used or
// allocated: counts against the bytes that are left, offsets, sizes, alignment, overlaps, names.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metadata.h"
#include "formats/gguf/ggml_types.h"
#include "formats/mapped_file.h"

namespace loam {

struct GgufTensor {
  std::string name;
  const GgmlType* type = nullptr;
  std::vector<int64_t> dims;         // 1 to 4, the contiguous one first ("ne" order): [k, n, experts]
  std::span<const std::byte> bytes;  // borrowed from the file

  int64_t dim(size_t i) const { return i < dims.size() ? dims[i] : 1; }
};

class GgufFile {
 public:
  explicit GgufFile(const std::string& path) : GgufFile(MappedFile(path)) {}
  explicit GgufFile(MappedFile file);

  const std::string& path() const { return file_.path(); }
  uint32_t version() const { return version_; }
  // Integers as int64, floats as double, arrays of one type; nested arrays are refused.
  const Metadata& metadata() const { return metadata_; }
  std::span<const GgufTensor> tensors() const { return tensors_; }  // in the file's order
  const GgufTensor* find(std::string_view name) const;              // null: not there
  std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  MappedFile file_;
  uint32_t version_ = 0;
  Metadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<uint32_t> by_name_;  // indices into tensors_, sorted by name
};

}  // namespace loam
