// A rounder chooses what is stored for a matrix, in any type. One file and one row of rounders.def each; the tests loop
// over the rows: on every type a rounder is never worse than `nearest`.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "core/types/type.h"

namespace loam {

struct Rounder {
  std::string_view name, summary;
  // Up to 16 rows of k floats (row-major) to one record of row_block_bytes(type, k); rows beyond `count` become zeros.
  // Called by several threads. Fails on NaN and infinity.
  void (*round)(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record);
};

std::span<const Rounder> all_rounders();             // the default first
const Rounder* find_rounder(std::string_view name);  // null: unknown

}  // namespace loam
