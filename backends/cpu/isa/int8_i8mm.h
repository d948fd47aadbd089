// Dots with NEON's matrix products: smmla multiplies two tokens by two rows of 8 k, so that panels hold pairs of rows.
// One token is left to sdot.
#pragma once
#include "backends/cpu/isa/lines_neon.h"
#include "backends/cpu/isa/one_dot_form.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

// Two lines of 16 rows x 4 k become eight registers of 2 rows x 8 k.
LOAM_INLINE void finish_panel(bool /*is_signed*/, uint8_t* codes, int64_t n, int32_t*) {
  for (uint8_t* p = codes; p < codes + n * 16; p += 128) {
    const Line even = load_line(p), odd = load_line(p + 64);
    UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t x = vreinterpretq_u32_u8(even.v[i]), y = vreinterpretq_u32_u8(odd.v[i]);
      vst1q_u8(p + i * 32, vreinterpretq_u8_u32(vzip1q_u32(x, y)));
      vst1q_u8(p + i * 32 + 16, vreinterpretq_u8_u32(vzip2q_u32(x, y)));
    }
  }
}

// Sums of a pair of tokens: [row pair][token][row].
template <int P>
LOAM_INLINE void dot_pairs(const uint8_t* codes, const int8_t* x, int64_t stride, int64_t begin, int64_t end,
                           int32x4_t (&sum)[P][8]) {
  for (int64_t k = begin; k < end; k += 16) {
    int8x16_t pair[2][P];  // first and last 8 k
    UNROLL
    for (int p = 0; p < P; ++p) {
      const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(x + 2 * p * stride + k));
      const int64x2_t b = vreinterpretq_s64_s8(vld1q_s8(x + (2 * p + 1) * stride + k));
      pair[0][p] = vreinterpretq_s8_s64(vzip1q_s64(a, b)), pair[1][p] = vreinterpretq_s8_s64(vzip2q_s64(a, b));
    }
    UNROLL
    for (int i = 0; i < 16; ++i) {
      const int8x16_t w = vld1q_s8(reinterpret_cast<const int8_t*>(codes + k * 16 + i * 16));
      UNROLL
      for (int p = 0; p < P; ++p) {  // as assembly: gcc 12 copies sums
        asm("smmla %0.4s,%1.16b,%2.16b" : "+w"(sum[p][i % 8]) : "w"(pair[i / 8][p]), "w"(w));
      }
    }
  }
}
LOAM_INLINE void dot_single(const uint8_t* codes, const int8_t* x, int64_t begin, int64_t end, I32x16& acc) {
  int32x4_t sum[8] = {};
  for (int64_t k = begin; k < end; k += 8) {
    const int8x16_t twice = vcombine_s8(vld1_s8(x + k), vld1_s8(x + k));
    UNROLL
    for (int i = 0; i < 8; ++i)
      sum[i] = vdotq_s32(sum[i], vld1q_s8(reinterpret_cast<const int8_t*>(codes + k * 16 + i * 16)), twice);
  }
  UNROLL
  for (int i = 0; i < 4; ++i) acc.v[i] = vaddq_s32(acc.v[i], vpaddq_s32(sum[2 * i], sum[2 * i + 1]));
}

// acc += codes * x over begin .. end, multiples of 16. Six tokens: 24 sums, six of activations, one of weights.
template <int kForm, int T>
LOAM_INLINE void dot_lines(const uint8_t* const* codes, const int8_t* x, int64_t stride, int64_t begin, int64_t end,
                           I32x16 (&acc)[T][1]) {
  if constexpr (T == 1) return dot_single(codes[0], x, begin, end, acc[0][0]);
  if constexpr (T > 1) {
    static_assert(T % 2 == 0);
    int32x4_t sum[T / 2][8] = {};
    dot_pairs(codes[0], x, stride, begin, end, sum);
    UNROLL
    for (int t = 0; t < T; ++t) {
      UNROLL
      for (int i = 0; i < 4; ++i) {
        const int64x2_t a = vreinterpretq_s64_s32(sum[t / 2][2 * i]), b = vreinterpretq_s64_s32(sum[t / 2][2 * i + 1]);
        const int32x4_t rows = vreinterpretq_s32_s64(t % 2 ? vzip2q_s64(a, b) : vzip1q_s64(a, b));
        acc[t][0].v[i] = vaddq_s32(acc[t][0].v[i], rows);
      }
    }
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
