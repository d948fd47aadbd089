// Exact import of ggml's blocks: one function per type takes a block apart into the fields of the Loam type that holds
// the same numbers (GgmlType::stored_as). No value is rounded.
#pragma once
#include <span>

#include "core/types/codec.h"
#include "formats/gguf/ggml_types.h"

namespace loam {

// Where the fields of one block go: codes one byte each; s and m one per group; d and e one per block, as bits.
struct BlockFields {
  uint8_t* codes;
  int16_t *s, *m;
  uint32_t *d, *e;
};

struct ImportType {
  uint32_t ggml;  // id
  void (*unpack)(const uint8_t* block, const BlockFields& to);
};

std::span<const ImportType> all_import_types();

// The Loam type that holds a ggml type exactly. Fails with Error{unsupported} that names the tensor and says what to
// do.
const TypeInfo& import_type_of(const GgmlType& type, std::string_view tensor);

// One row of k values (a multiple of the block) of a quantized ggml type.
void import_row(const GgmlType& type, int64_t k, const std::byte* row, RowFields& fields);

// `count` rows, at most 16, that lie one behind another -> one record. Returns false where a scale (or a value of a
// float type) is not finite: such a file is damaged, and nothing should be computed with it.
[[nodiscard]] bool import_row_block(const GgmlType& type, int64_t k, const std::byte* rows, int count,
                                    std::byte* record);

// One row as f32, by the definition of the type.
void import_row_f32(const GgmlType& type, int64_t k, const std::byte* row, float* out);

}  // namespace loam
