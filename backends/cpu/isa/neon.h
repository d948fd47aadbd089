// The vector layer on 64-bit ARM: 16 lanes are four registers.
#pragma once
#include <arm_neon.h>

#include <cstdint>

#include "backends/cpu/isa/inline.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

struct F32x16 {
  float32x4_t v[4];
};
struct I32x16 {
  int32x4_t v[4];
};
struct Mask {
  uint32x4_t v[4];
};

// Rows x vectors of accumulators that fit the registers beside their operands.
constexpr int kTileQueries = 4, kTileVectors = 1;

#define LOAM_PARTS(Result, expression)               \
  Result r;                                          \
  UNROLL                                             \
  for (int i = 0; i < 4; ++i) r.v[i] = (expression); \
  return r

LOAM_INLINE uint32x4_t lanes_below(int n) {
  static const int32_t index[4] = {0, 1, 2, 3};
  return vcltq_s32(vld1q_s32(index), vdupq_n_s32(n));
}
LOAM_INLINE Mask first_lanes(int n) { LOAM_PARTS(Mask, lanes_below(n - 4 * i)); }
LOAM_INLINE Mask lanes_between(int begin, int end) {
  LOAM_PARTS(Mask, vbicq_u32(lanes_below(end - 4 * i), lanes_below(begin - 4 * i)));
}

LOAM_INLINE F32x16 splat(float x) { LOAM_PARTS(F32x16, vdupq_n_f32(x)); }
LOAM_INLINE F32x16 zero() { LOAM_PARTS(F32x16, vdupq_n_f32(0)); }
LOAM_INLINE F32x16 load(const float* p) { LOAM_PARTS(F32x16, vld1q_f32(p + 4 * i)); }
LOAM_INLINE F32x16 load(const float* p, int n) {
  float x[16] = {};
  for (int i = 0; i < (n < 16 ? n : 16); ++i) x[i] = p[i];
  return load(x);
}
LOAM_INLINE void store(float* p, F32x16 x) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, x.v[i]);
}
LOAM_INLINE void store(float* p, F32x16 x, int n) {
  float t[16];
  store(t, x);
  for (int i = 0; i < (n < 16 ? n : 16); ++i) p[i] = t[i];
}
LOAM_INLINE F32x16 load_f16(const uint16_t* p) {
  LOAM_PARTS(F32x16, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))));
}
LOAM_INLINE F32x16 load_f16(const uint16_t* p, int n) {
  uint16_t x[16] = {};
  for (int i = 0; i < (n < 16 ? n : 16); ++i) x[i] = p[i];
  return load_f16(x);
}
LOAM_INLINE void store_f16(uint16_t* p, F32x16 x) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(x.v[i])));
}
LOAM_INLINE void store_f16(uint16_t* p, F32x16 x, int n) {
  uint16_t t[16];
  store_f16(t, x);
  for (int i = 0; i < (n < 16 ? n : 16); ++i) p[i] = t[i];
}
LOAM_INLINE F32x16 load_bf16(const uint16_t* p) {
  LOAM_PARTS(F32x16, vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16)));
}

LOAM_INLINE F32x16 operator+(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vaddq_f32(a.v[i], b.v[i])); }
LOAM_INLINE F32x16 operator-(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vsubq_f32(a.v[i], b.v[i])); }
LOAM_INLINE F32x16 operator*(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vmulq_f32(a.v[i], b.v[i])); }
LOAM_INLINE F32x16 operator/(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vdivq_f32(a.v[i], b.v[i])); }
LOAM_INLINE F32x16 operator-(F32x16 a) { LOAM_PARTS(F32x16, vnegq_f32(a.v[i])); }
LOAM_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { LOAM_PARTS(F32x16, vfmaq_f32(c.v[i], a.v[i], b.v[i])); }
LOAM_INLINE F32x16 sqrt(F32x16 a) { LOAM_PARTS(F32x16, vsqrtq_f32(a.v[i])); }
// a < b ? a : b and a > b ? a : b: the second where one is NaN.
LOAM_INLINE F32x16 min(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vbslq_f32(vcltq_f32(a.v[i], b.v[i]), a.v[i], b.v[i])); }
LOAM_INLINE F32x16 max(F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i])); }
LOAM_INLINE Mask operator<(F32x16 a, F32x16 b) { LOAM_PARTS(Mask, vcltq_f32(a.v[i], b.v[i])); }
LOAM_INLINE F32x16 select(Mask m, F32x16 a, F32x16 b) { LOAM_PARTS(F32x16, vbslq_f32(m.v[i], a.v[i], b.v[i])); }

LOAM_INLINE I32x16 splat(int32_t x) { LOAM_PARTS(I32x16, vdupq_n_s32(x)); }
LOAM_INLINE I32x16 load(const int32_t* p) { LOAM_PARTS(I32x16, vld1q_s32(p + 4 * i)); }
LOAM_INLINE void store(int32_t* p, I32x16 x) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst1q_s32(p + 4 * i, x.v[i]);
}
LOAM_INLINE I32x16 operator+(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vaddq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 operator-(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vsubq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 operator&(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vandq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 operator|(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vorrq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 max(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vmaxq_s32(a.v[i], b.v[i])); }
template <int N>
LOAM_INLINE I32x16 shift_left(I32x16 a) {
  LOAM_PARTS(I32x16, vshlq_n_s32(a.v[i], N));
}
template <int N>
LOAM_INLINE I32x16 shift_right(I32x16 a) {  // arithmetic
  LOAM_PARTS(I32x16, vshrq_n_s32(a.v[i], N));
}
LOAM_INLINE F32x16 to_float(I32x16 a) { LOAM_PARTS(F32x16, vcvtq_f32_s32(a.v[i])); }
LOAM_INLINE F32x16 as_float(I32x16 a) { LOAM_PARTS(F32x16, vreinterpretq_f32_s32(a.v[i])); }
LOAM_INLINE I32x16 as_int(F32x16 a) { LOAM_PARTS(I32x16, vreinterpretq_s32_f32(a.v[i])); }

// core/math.h's tree.
LOAM_INLINE float tree_sum(F32x16 x) {
  const float32x4_t a = vaddq_f32(vaddq_f32(x.v[0], x.v[2]), vaddq_f32(x.v[1], x.v[3]));
  const float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}
LOAM_INLINE float max_lane(F32x16 x) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.v[0], x.v[1]), vmaxq_f32(x.v[2], x.v[3])));
}

#undef LOAM_PARTS

}  // namespace
}  // namespace loam::cpu::ISA
