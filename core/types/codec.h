// Rows of numbers <-> records. The plain-loop definition of every type; kernels are tested against it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/types/type.h"

namespace loam {

// One row of a quantized type taken apart, k padded to a multiple of 32. Sizes: codes k; s, m and t one per group;
// d and e one per block (or one per row), as raw bits of their format.
struct RowFields {
  std::vector<uint8_t> codes;
  std::vector<int16_t> s, m;
  std::vector<uint8_t> t;
  std::vector<uint32_t> d, e;

  void resize(const TypeInfo& type, int64_t k);
};

// Writes row `row` (0..15) of a record whose bytes were zero before, and reads it back. Quantized types only.
void pack_row(const TypeInfo& type, int64_t k, const RowFields& fields, int row, std::byte* record);
void unpack_row(const TypeInfo& type, int64_t k, const std::byte* record, int row, RowFields& fields);

// The level of a code: code - zero, or tables[t][code].
inline int level_of(const TypeInfo& type, int code, int t) {
  return type.has_table() ? type.tables[t && type.tables[1] ? 1 : 0][code] : code - type.zero;
}

// The definition of what is stored: column j, and out[0..k).
float stored_value(const TypeInfo& type, const RowFields& fields, size_t j);
void dequantize_fields(const TypeInfo& type, int64_t k, const RowFields& fields, float* out);
void dequantize_row(const TypeInfo& type, int64_t k, const std::byte* record, int row, float* out);

// Nearest rounding of up to 16 rows of k floats (row-major, stride k) to one record of row_block_bytes(type, k).
// Rows beyond `rows` become zeros. Fails on NaN and infinity, which no quantized type can hold.
void quantize_row_block(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record);

// What s and m of a type may be; no s is 1.
struct IntRange {
  int low, high;
};
IntRange int_range(IntFormat format);
IntRange offset_range(const TypeInfo& type);  // of m

// The nearest codes for row[first, first + count), which lie in one group and block, with the fields' other values.
void choose_codes(const TypeInfo& type, const float* row, size_t first, size_t count, RowFields& fields);

// Nearest rounding of one row, as fields.
void quantize_row(const TypeInfo& type, int64_t k, const float* row, RowFields& fields);

}  // namespace loam
