// 64-byte lines of 16 rows x 4 bytes in two registers of AVX2: everything but dots.
#pragma once
#include "backends/cpu/isa/avx2.h"

namespace loam::cpu::ISA {
namespace {

struct Line {
  __m256i a, b;
};

LOAM_INLINE I32x16 operator*(I32x16 x, I32x16 y) {
  return {_mm256_mullo_epi32(x.a, y.a), _mm256_mullo_epi32(x.b, y.b)};
}
LOAM_INLINE I32x16 operator^(I32x16 x, I32x16 y) { return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)}; }
LOAM_INLINE I32x16 shift_right_bits(I32x16 x, int n) { return {_mm256_srli_epi32(x.a, n), _mm256_srli_epi32(x.b, n)}; }
LOAM_INLINE I32x16 shift_left_bits(I32x16 x, int n) { return {_mm256_slli_epi32(x.a, n), _mm256_slli_epi32(x.b, n)}; }
LOAM_INLINE I32x16 load_bytes(const uint8_t* p) {  // 16 bytes, one a lane
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))),
          _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8)))};
}
LOAM_INLINE I32x16 load_signed_bytes(const uint8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))),
          _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8)))};
}
LOAM_INLINE void store_low_bytes(int8_t* p, I32x16 x) {  // values of an int8
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}
LOAM_INLINE int32_t sum_lanes(I32x16 x) {
  const __m256i a = _mm256_add_epi32(x.a, x.b);
  const __m128i b = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  const __m128i c = _mm_add_epi32(b, _mm_shuffle_epi32(b, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(c, _mm_shuffle_epi32(c, 0xb1)));
}
LOAM_INLINE uint32_t max_lane(I32x16 x) {
  const __m256i a = _mm256_max_epu32(x.a, x.b);
  const __m128i b = _mm_max_epu32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  const __m128i c = _mm_max_epu32(b, _mm_shuffle_epi32(b, 0x4e));
  return uint32_t(_mm_cvtsi128_si32(_mm_max_epu32(c, _mm_shuffle_epi32(c, 0xb1))));
}
LOAM_INLINE F32x16 low_halves_from_f16(I32x16 x) {  // high halves are zero
  const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(x.a, x.b), 0xd8);
  return {_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))};
}

LOAM_INLINE Line load_line(const void* p) {
  const __m256i* from = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
}
LOAM_INLINE void store_line(void* p, Line x) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), x.a);
  _mm256_storeu_si256(static_cast<__m256i*>(p) + 1, x.b);
}
LOAM_INLINE Line splat_byte(int x) { return {_mm256_set1_epi8(char(x)), _mm256_set1_epi8(char(x))}; }
LOAM_INLINE Line splat_word(const int8_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return {_mm256_set1_epi32(word), _mm256_set1_epi32(word)};
}
LOAM_INLINE Line operator&(Line x, Line y) { return {_mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b)}; }
LOAM_INLINE Line operator|(Line x, Line y) { return {_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)}; }
LOAM_INLINE Line operator^(Line x, Line y) { return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)}; }
LOAM_INLINE Line operator-(Line x, Line y) { return {_mm256_sub_epi8(x.a, y.a), _mm256_sub_epi8(x.b, y.b)}; }
// Bits may cross into the next byte: mask afterwards (right), or have room (left).
LOAM_INLINE Line shift_right(Line x, int n) { return {_mm256_srli_epi16(x.a, n), _mm256_srli_epi16(x.b, n)}; }
LOAM_INLINE Line shift_left(Line x, int n) { return {_mm256_slli_epi16(x.a, n), _mm256_slli_epi16(x.b, n)}; }
// Two groups of a plane of kBits, from group g on, that lie in the same 16 bytes (or, of 8 bits, in the next).
template <int kBits>
LOAM_INLINE __m256i spread_two(const uint8_t* p, uint32_t g) {
  p += g * kBits / 8 * 16;
  if constexpr (kBits == 8) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i x = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  const long long first = g * kBits % 8, second = first + kBits;
  return _mm256_and_si256(_mm256_srlv_epi64(x, _mm256_setr_epi64x(first, first, second, second)),
                          _mm256_set1_epi8((1 << kBits) - 1));
}
// Groups g..g+3 (g a multiple of 4): 16 bytes each, one a row.
template <int kBits>
LOAM_INLINE Line spread_groups(const uint8_t* p, uint32_t g) {
  return {spread_two<kBits>(p, g), spread_two<kBits>(p, g + 2)};
}
LOAM_INLINE __m256i times_bytes(__m256i x, __m256i y) {
  const __m256i even = _mm256_mullo_epi16(x, y);
  const __m256i odd = _mm256_mullo_epi16(_mm256_srli_epi16(x, 8), _mm256_and_si256(y, _mm256_set1_epi16(-256)));
  return _mm256_blendv_epi8(even, odd, _mm256_set1_epi16(-256));
}
LOAM_INLINE Line times(Line x, Line y) { return {times_bytes(x.a, y.a), times_bytes(x.b, y.b)}; }  // low bytes
LOAM_INLINE Line as_line(I32x16 x) { return {x.a, x.b}; }
LOAM_INLINE I32x16 as_ints(Line x) { return {x.a, x.b}; }
LOAM_INLINE Line repeat_low_byte(I32x16 x) {  // the low byte of each row, four times
  const __m256i from = _mm256_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12, 0, 0, 0, 0, 4, 4, 4, 4, 8,
                                        8, 8, 8, 12, 12, 12, 12);
  return {_mm256_shuffle_epi8(x.a, from), _mm256_shuffle_epi8(x.b, from)};
}
LOAM_INLINE Line table_line(const int8_t* table) {
  const __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return {t, t};
}
LOAM_INLINE Line lookup(Line table, Line index) {
  return {_mm256_shuffle_epi8(table.a, index.a), _mm256_shuffle_epi8(table.b, index.b)};
}
LOAM_INLINE Line select(Line mask, Line x, Line y) {  // mask bytes are 0 or 255
  return {_mm256_blendv_epi8(y.a, x.a, mask.a), _mm256_blendv_epi8(y.b, x.b, mask.b)};
}
LOAM_INLINE void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

}  // namespace
}  // namespace loam::cpu::ISA
