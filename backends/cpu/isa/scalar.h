// The vector layer in plain C++: the definition of the others.
#pragma once
#include <cstdint>

#include "backends/cpu/isa/inline.h"
#include "core/math.h"
#include "core/types/float_bits.h"

namespace loam::cpu::ISA {
namespace {

struct F32x16 {
  float v[16];
};
struct I32x16 {
  int32_t v[16];
};
struct Mask {
  bool v[16];
};

// Rows x vectors of accumulators.
constexpr int kTileQueries = 2, kTileVectors = 1;

#define LOAM_LANES(Result, expression)                \
  Result r;                                           \
  for (int i = 0; i < 16; ++i) r.v[i] = (expression); \
  return r

LOAM_INLINE Mask first_lanes(int n) { LOAM_LANES(Mask, i < n); }
LOAM_INLINE Mask lanes_between(int begin, int end) { LOAM_LANES(Mask, i >= begin && i < end); }

LOAM_INLINE F32x16 splat(float x) { LOAM_LANES(F32x16, x); }
LOAM_INLINE F32x16 zero() { LOAM_LANES(F32x16, 0.f); }
LOAM_INLINE F32x16 load(const float* p) { LOAM_LANES(F32x16, p[i]); }
LOAM_INLINE F32x16 load(const float* p, int n) { LOAM_LANES(F32x16, i < n ? p[i] : 0.f); }
LOAM_INLINE void store(float* p, F32x16 x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
LOAM_INLINE void store(float* p, F32x16 x, int n) {
  for (int i = 0; i < 16; ++i) {
    if (i < n) p[i] = x.v[i];
  }
}
LOAM_FLATTEN F32x16 load_f16(const uint16_t* p) { LOAM_LANES(F32x16, f16_to_f32(p[i])); }
LOAM_FLATTEN F32x16 load_f16(const uint16_t* p, int n) { LOAM_LANES(F32x16, i < n ? f16_to_f32(p[i]) : 0.f); }
LOAM_FLATTEN void store_f16(uint16_t* p, F32x16 x, int n) {
  for (int i = 0; i < 16; ++i) {
    if (i < n) p[i] = f32_to_f16(x.v[i]);
  }
}
LOAM_INLINE void store_f16(uint16_t* p, F32x16 x) { store_f16(p, x, 16); }
LOAM_FLATTEN F32x16 load_bf16(const uint16_t* p) { LOAM_LANES(F32x16, bf16_to_f32(p[i])); }

LOAM_INLINE F32x16 operator+(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] + b.v[i]); }
LOAM_INLINE F32x16 operator-(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] - b.v[i]); }
LOAM_INLINE F32x16 operator*(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] * b.v[i]); }
LOAM_INLINE F32x16 operator/(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] / b.v[i]); }
LOAM_INLINE F32x16 operator-(F32x16 a) { LOAM_LANES(F32x16, -a.v[i]); }
LOAM_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { LOAM_LANES(F32x16, __builtin_fmaf(a.v[i], b.v[i], c.v[i])); }
LOAM_INLINE F32x16 sqrt(F32x16 a) { LOAM_LANES(F32x16, __builtin_sqrtf(a.v[i])); }
// a < b ? a : b and a > b ? a : b: the second where one is NaN.
LOAM_INLINE F32x16 min(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
LOAM_INLINE F32x16 max(F32x16 a, F32x16 b) { LOAM_LANES(F32x16, a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
LOAM_INLINE Mask operator<(F32x16 a, F32x16 b) { LOAM_LANES(Mask, a.v[i] < b.v[i]); }
LOAM_INLINE F32x16 select(Mask m, F32x16 a, F32x16 b) { LOAM_LANES(F32x16, m.v[i] ? a.v[i] : b.v[i]); }

// Integers wrap.
LOAM_INLINE I32x16 splat(int32_t x) { LOAM_LANES(I32x16, x); }
LOAM_INLINE I32x16 load(const int32_t* p) { LOAM_LANES(I32x16, p[i]); }
LOAM_INLINE void store(int32_t* p, I32x16 x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
LOAM_INLINE I32x16 operator+(I32x16 a, I32x16 b) { LOAM_LANES(I32x16, int32_t(uint32_t(a.v[i]) + uint32_t(b.v[i]))); }
LOAM_INLINE I32x16 operator-(I32x16 a, I32x16 b) { LOAM_LANES(I32x16, int32_t(uint32_t(a.v[i]) - uint32_t(b.v[i]))); }
LOAM_INLINE I32x16 operator&(I32x16 a, I32x16 b) { LOAM_LANES(I32x16, a.v[i] & b.v[i]); }
LOAM_INLINE I32x16 operator|(I32x16 a, I32x16 b) { LOAM_LANES(I32x16, a.v[i] | b.v[i]); }
LOAM_INLINE I32x16 max(I32x16 a, I32x16 b) { LOAM_LANES(I32x16, a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
template <int N>
LOAM_INLINE I32x16 shift_left(I32x16 a) {
  LOAM_LANES(I32x16, int32_t(uint32_t(a.v[i]) << N));
}
template <int N>
LOAM_INLINE I32x16 shift_right(I32x16 a) {  // arithmetic
  LOAM_LANES(I32x16, a.v[i] >> N);
}
LOAM_INLINE F32x16 to_float(I32x16 a) { LOAM_LANES(F32x16, float(a.v[i])); }
LOAM_INLINE F32x16 as_float(I32x16 a) { LOAM_LANES(F32x16, __builtin_bit_cast(float, a.v[i])); }
LOAM_INLINE I32x16 as_int(F32x16 a) { LOAM_LANES(I32x16, __builtin_bit_cast(int32_t, a.v[i])); }

LOAM_FLATTEN float tree_sum(F32x16 x) { return loam::tree_sum(x.v); }
LOAM_INLINE float max_lane(F32x16 x) {
  float m = x.v[0];
  for (int i = 1; i < 16; ++i) m = x.v[i] > m ? x.v[i] : m;
  return m;
}

#undef LOAM_LANES

}  // namespace
}  // namespace loam::cpu::ISA
