// The vector layer on AVX-512: 16 lanes are one register.
#pragma once
#include <cstdint>

#ifdef __clang__
#include <immintrin.h>
#else  // gcc 12 warns of the registers that its intrinsics leave undefined on purpose
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#include "backends/cpu/isa/inline.h"

namespace loam::cpu::ISA {
namespace {

struct F32x16 {
  __m512 v;
};
struct I32x16 {
  __m512i v;
};
struct Mask {
  __mmask16 v;
};

// Rows x vectors of accumulators that fit the registers beside their operands.
constexpr int kTileQueries = 6, kTileVectors = 4;

LOAM_INLINE Mask first_lanes(int n) { return {__mmask16(n >= 16 ? 0xffff : (1u << n) - 1)}; }
LOAM_INLINE Mask lanes_between(int begin, int end) {
  return {__mmask16(first_lanes(end).v & ~first_lanes(begin < 0 ? 0 : begin).v)};
}

LOAM_INLINE F32x16 splat(float x) { return {_mm512_set1_ps(x)}; }
LOAM_INLINE F32x16 zero() { return {_mm512_setzero_ps()}; }
LOAM_INLINE F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
LOAM_INLINE F32x16 load(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_lanes(n).v, p)}; }
LOAM_INLINE void store(float* p, F32x16 x) { _mm512_storeu_ps(p, x.v); }
LOAM_INLINE void store(float* p, F32x16 x, int n) { _mm512_mask_storeu_ps(p, first_lanes(n).v, x.v); }
LOAM_INLINE F32x16 load_f16(const uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
LOAM_INLINE F32x16 load_f16(const uint16_t* p, int n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n).v, p))};
}
LOAM_INLINE void store_f16(uint16_t* p, F32x16 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
}
LOAM_INLINE void store_f16(uint16_t* p, F32x16 x, int n) {
  _mm256_mask_storeu_epi16(p, first_lanes(n).v, _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
}
LOAM_INLINE F32x16 load_bf16(const uint16_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))};
}

LOAM_INLINE F32x16 operator+(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
LOAM_INLINE F32x16 operator-(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
LOAM_INLINE F32x16 operator*(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
LOAM_INLINE F32x16 operator/(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
LOAM_INLINE F32x16 operator-(F32x16 a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.f))}; }
LOAM_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
LOAM_INLINE F32x16 sqrt(F32x16 a) { return {_mm512_sqrt_ps(a.v)}; }
// a < b ? a : b and a > b ? a : b: the second where one is NaN.
LOAM_INLINE F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
LOAM_INLINE F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
LOAM_INLINE Mask operator<(F32x16 a, F32x16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
LOAM_INLINE F32x16 select(Mask m, F32x16 a, F32x16 b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }

LOAM_INLINE I32x16 splat(int32_t x) { return {_mm512_set1_epi32(x)}; }
LOAM_INLINE I32x16 load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
LOAM_INLINE void store(int32_t* p, I32x16 x) { _mm512_storeu_si512(p, x.v); }
LOAM_INLINE I32x16 operator+(I32x16 a, I32x16 b) { return {_mm512_add_epi32(a.v, b.v)}; }
LOAM_INLINE I32x16 operator-(I32x16 a, I32x16 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
LOAM_INLINE I32x16 operator&(I32x16 a, I32x16 b) { return {_mm512_and_si512(a.v, b.v)}; }
LOAM_INLINE I32x16 operator|(I32x16 a, I32x16 b) { return {_mm512_or_si512(a.v, b.v)}; }
LOAM_INLINE I32x16 max(I32x16 a, I32x16 b) { return {_mm512_max_epi32(a.v, b.v)}; }
template <int N>
LOAM_INLINE I32x16 shift_left(I32x16 a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
LOAM_INLINE I32x16 shift_right(I32x16 a) {  // arithmetic
  return {_mm512_srai_epi32(a.v, N)};
}
LOAM_INLINE F32x16 to_float(I32x16 a) { return {_mm512_cvtepi32_ps(a.v)}; }
LOAM_INLINE F32x16 as_float(I32x16 a) { return {_mm512_castsi512_ps(a.v)}; }
LOAM_INLINE I32x16 as_int(F32x16 a) { return {_mm512_castps_si512(a.v)}; }

// core/math.h's tree.
LOAM_INLINE float tree_sum(F32x16 x) {
  const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x.v), _mm512_extractf32x8_ps(x.v, 1));
  const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
LOAM_INLINE float max_lane(F32x16 x) {
  const __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x.v), _mm512_extractf32x8_ps(x.v, 1));
  const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

}  // namespace
}  // namespace loam::cpu::ISA
