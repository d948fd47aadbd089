// Dots with NEON's sdot: a register of four rows x 4 k times four activations out of sixteen.
#pragma once
#include "backends/cpu/isa/lines_neon.h"
#include "backends/cpu/isa/one_dot_form.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

LOAM_INLINE void finish_panel(bool /*is_signed*/, uint8_t*, int64_t, int32_t*) {}

template <int kLane, int T>
LOAM_INLINE void dot_four(const int8_t* codes, const int8x16_t (&x)[T], I32x16 (&acc)[T][1]) {
  UNROLL
  for (int i = 0; i < 4; ++i) {
    const int8x16_t w = vld1q_s8(codes + kLane * 64 + i * 16);
    UNROLL
    for (int t = 0; t < T; ++t) {  // as assembly: gcc 12 copies sums
      asm("sdot %0.4s,%1.16b,%2.4b[%3]" : "+w"(acc[t][0].v[i]) : "w"(w), "w"(x[t]), "i"(kLane));
    }
  }
}

// acc += codes * x over begin .. end, multiples of 16. Six tokens: 24 sums, six of activations, one of weights.
template <int kForm, int T>
LOAM_INLINE void dot_lines(const uint8_t* const* codes, const int8_t* x, int64_t stride, int64_t begin, int64_t end,
                           I32x16 (&acc)[T][1]) {
  for (int64_t k = begin; k < end; k += 16) {
    const int8_t* w = reinterpret_cast<const int8_t*>(codes[0] + k * 16);
    int8x16_t sixteen[T];
    UNROLL
    for (int t = 0; t < T; ++t) sixteen[t] = vld1q_s8(x + t * stride + k);
    dot_four<0>(w, sixteen, acc);
    dot_four<1>(w, sixteen, acc);
    dot_four<2>(w, sixteen, acc);
    dot_four<3>(w, sixteen, acc);
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
