// Dots of a panel line by line, for instruction sets whose panels are all of one form and as they were unpacked.
#pragma once
#include "backends/cpu/isa/one_dot_form.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

LOAM_INLINE void finish_panel(bool /*is_signed*/, uint8_t*, int64_t, int32_t*) {}

// acc += codes * x over begin .. end, multiples of 16.
template <int kForm, int T, int R>
LOAM_INLINE void dot_lines(const uint8_t* const* codes, const int8_t* x, int64_t stride, int64_t begin, int64_t end,
                           I32x16 (&acc)[T][R]) {
  UNROLL_BY_2
  for (int64_t i = begin; i < end; i += 16) {
    UNROLL
    for (int j = 0; j < 16; j += 4) {
      Line w[R];
      UNROLL
      for (int r = 0; r < R; ++r) w[r] = load_line(codes[r] + (i + j) * 16);
      UNROLL
      for (int t = 0; t < T; ++t) {
        const Line four = splat_word(x + t * stride + i + j);
        UNROLL
        for (int r = 0; r < R; ++r) acc[t][r] = dot<false>(acc[t][r], w[r], four);
      }
    }
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
