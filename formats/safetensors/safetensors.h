// Safetensors: one file, or shards listed by model.safetensors.index.json. Names, shapes and offsets are checked
// before use; the header is read by an event parser, so a hostile one builds nothing.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/mapped_file.h"

namespace loam {

enum class Dtype : uint8_t { F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL };

std::string_view dtype_name(Dtype dtype);
uint64_t dtype_bytes(Dtype dtype);

struct SafeTensor {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<int64_t> shape;        // the contiguous one last: (experts, n, k); empty: one value
  std::span<const std::byte> bytes;  // borrowed from the file, any alignment

  int64_t row_size() const { return shape.empty() ? 1 : shape.back(); }
  int64_t rows() const;  // all dimensions but the last
};

class SafetensorsFile {
 public:
  // A .safetensors file, an index (.json), or a folder that holds either.
  explicit SafetensorsFile(const std::string& path);

  std::span<const SafeTensor> tensors() const { return tensors_; }            // of all shards, sorted by name
  const SafeTensor* find(std::string_view name) const;                        // null: not there
  std::span<const MappedFile> files() const { return files_; }                // the shards, sorted by name
  const std::map<std::string, std::string>& notes() const { return notes_; }  // "__metadata__"

 private:
  void add_file(const std::string& path);
  void add_shards(const std::string& index_path);

  std::vector<MappedFile> files_;
  std::vector<SafeTensor> tensors_;
  std::map<std::string, std::string> notes_;
};

// Rows first .. first + count of a tensor as f32, `count * row_size()` values. Exact for every float type but F64,
// which is rounded to the nearest; F8_E4M3 is the variant without infinities.
void read_rows(const SafeTensor& tensor, int64_t first, int64_t count, std::span<float> out);

}  // namespace loam
