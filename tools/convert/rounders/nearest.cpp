// Nearest rounding, as core defines it for every type.
#include "core/types/codec.h"

namespace loam {

void round_nearest(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record) {
  quantize_row_block(type, k, rows, count, record);
}

}  // namespace loam
