// 16 rows at once into a record: what pack_row of core/types defines, without a call per code.
#pragma once
#include <cstddef>

#include "core/types/codec.h"

namespace loam {

// Writes all row_block_bytes(type, k) bytes of a record of a quantized type; rows from `count` on become zeros.
void pack_row_block(const TypeInfo& type, int64_t k, const RowFields* rows, int count, std::byte* record);

// The same for a plain type: `rows` are rows of k values in the type's own format, `stride` bytes apart.
void pack_plain_block(const TypeInfo& type, int64_t k, const std::byte* rows, size_t stride, int count,
                      std::byte* record);

}  // namespace loam
