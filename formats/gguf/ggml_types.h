// The tensor types that a GGUF file can name. All are known, so that every tensor's size can be checked, even where
// Loam cannot import the type.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace loam {

struct GgmlType {
  uint32_t id;
  std::string_view name;
  uint32_t block_values;  // values of one block; 0: withdrawn from the format, the size is unknown
  uint32_t block_bytes;
  std::string_view stored_as;  // the Loam type that holds it exactly; empty: there is none
};

std::span<const GgmlType> all_ggml_types();
const GgmlType* find_ggml_type(uint32_t id);  // null: unknown

}  // namespace loam
