// 64-byte lines of 16 rows x 4 bytes with AVX-512 VNNI. A dot multiplies unsigned weights by signed activations, so
// panels hold levels + 128.
#pragma once

#include "backends/cpu/isa/avx512.h"

namespace loam::cpu::ISA {
namespace {

struct Line {
  __m512i v;
};
constexpr int kPanelBias = 128;                  // added to signed levels
constexpr bool kSignedDots = false;              // a second dot for signed panels
constexpr int kLargestCodeBits = 8;              // of codes that dots take as they are
constexpr bool kUnpacksInRegisters = true;       // one token straight from the record
constexpr int kTileTokens = 6, kTileBlocks = 2;  // accumulators: 6 x 2 integers, 6 x 2 floats

LOAM_INLINE I32x16 operator*(I32x16 a, I32x16 b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
LOAM_INLINE I32x16 operator^(I32x16 a, I32x16 b) { return {_mm512_xor_si512(a.v, b.v)}; }
LOAM_INLINE I32x16 shift_right_bits(I32x16 a, int n) { return {_mm512_srli_epi32(a.v, unsigned(n))}; }
LOAM_INLINE I32x16 shift_left_bits(I32x16 a, int n) { return {_mm512_slli_epi32(a.v, unsigned(n))}; }
LOAM_INLINE I32x16 load_bytes(const uint8_t* p) {  // 16 bytes, one a lane
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
LOAM_INLINE I32x16 load_signed_bytes(const uint8_t* p) {
  return {_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
LOAM_INLINE void store_low_bytes(int8_t* p, I32x16 a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a.v));
}
LOAM_INLINE int32_t sum_lanes(I32x16 a) { return _mm512_reduce_add_epi32(a.v); }
LOAM_INLINE uint32_t max_lane(I32x16 a) { return _mm512_reduce_max_epu32(a.v); }
LOAM_INLINE F32x16 low_halves_from_f16(I32x16 a) { return {_mm512_cvtph_ps(_mm512_cvtepi32_epi16(a.v))}; }

LOAM_INLINE Line load_line(const void* p) { return {_mm512_loadu_si512(p)}; }
LOAM_INLINE void store_line(void* p, Line a) { _mm512_store_si512(p, a.v); }
LOAM_INLINE Line splat_byte(int x) { return {_mm512_set1_epi8(char(x))}; }
LOAM_INLINE Line splat_word(const int8_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return {_mm512_set1_epi32(word)};
}
LOAM_INLINE Line operator&(Line a, Line b) { return {_mm512_and_si512(a.v, b.v)}; }
LOAM_INLINE Line operator|(Line a, Line b) { return {_mm512_or_si512(a.v, b.v)}; }
LOAM_INLINE Line operator^(Line a, Line b) { return {_mm512_xor_si512(a.v, b.v)}; }
LOAM_INLINE Line operator-(Line a, Line b) { return {_mm512_sub_epi8(a.v, b.v)}; }
// Bits may cross into the next byte: mask afterwards (right), or have room (left).
LOAM_INLINE Line shift_right(Line a, int n) { return {_mm512_srli_epi16(a.v, unsigned(n))}; }
LOAM_INLINE Line shift_left(Line a, int n) { return {_mm512_slli_epi16(a.v, unsigned(n))}; }
// Groups g..g+3 (g a multiple of 4) of a plane of kBits: 16 bytes each, one a row.
template <int kBits>
LOAM_INLINE Line spread_groups(const uint8_t* p, uint32_t g) {
  p += g * kBits / 8 * 16;
  if constexpr (kBits == 8) return load_line(p);
  __m512i x, counts;
  if constexpr (kBits == 4) {
    x = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    x = _mm512_shuffle_i64x2(x, x, 0x50);
    counts = _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4);
  } else {
    x = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    counts = _mm512_add_epi64(_mm512_setr_epi64(0, 0, kBits, kBits, 2 * kBits, 2 * kBits, 3 * kBits, 3 * kBits),
                              _mm512_set1_epi64(g * kBits % 8));
  }
  return {_mm512_and_si512(_mm512_srlv_epi64(x, counts), _mm512_set1_epi8((1 << kBits) - 1))};
}
LOAM_INLINE Line times(Line a, Line b) {  // low bytes of the products
  const __m512i even = _mm512_mullo_epi16(a.v, b.v);
  const __m512i odd = _mm512_mullo_epi16(_mm512_srli_epi16(a.v, 8), _mm512_and_si512(b.v, _mm512_set1_epi16(-256)));
  return {_mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaaull, even, odd)};
}
LOAM_INLINE Line as_line(I32x16 a) { return {a.v}; }
LOAM_INLINE I32x16 as_ints(Line a) { return {a.v}; }
LOAM_INLINE Line repeat_low_byte(I32x16 a) {  // the low byte of each row, four times
  const __m512i pick = _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
  return {_mm512_shuffle_epi8(a.v, pick)};
}
LOAM_INLINE Line table_line(const int8_t* table) {
  return {_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)))};
}
LOAM_INLINE Line lookup(Line table, Line index) { return {_mm512_shuffle_epi8(table.v, index.v)}; }
LOAM_INLINE Line select(Line mask, Line a, Line b) {  // mask bytes are 0 or 255
  return {_mm512_ternarylogic_epi32(mask.v, a.v, b.v, 0xca)};
}
// gcc 12 spills accumulators around the intrinsic.
template <bool kSigned>
LOAM_INLINE I32x16 dot(I32x16 sum, Line w, Line x) {
  asm("vpdpbusd %2,%1,%0" : "+v"(sum.v) : "v"(w.v), "v"(x.v));
  return sum;
}
template <bool kSigned>
LOAM_INLINE I32x16 dot_word(I32x16 sum, Line w, const int8_t* x) {  // the same four activations for all rows
  asm("vpdpbusd %2%{1to16%},%1,%0" : "+v"(sum.v) : "v"(w.v), "m"(*reinterpret_cast<const int8_t(*)[4]>(x)));
  return sum;
}
LOAM_INLINE void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

}  // namespace
}  // namespace loam::cpu::ISA

#include "backends/cpu/isa/dot_lines.h"
