// 64-byte lines of 16 rows x 4 bytes in plain C++. Panels hold signed levels.
#pragma once
#include "backends/cpu/isa/scalar.h"

#define UNROLL

namespace loam::cpu::ISA {
namespace {

struct Line {
  uint8_t v[64];
};
constexpr int kPanelBias = 0;                // added to signed levels
constexpr bool kSignedDots = false;          // a second dot for signed panels
constexpr int kLargestCodeBits = 6;          // of codes that dots take as they are
constexpr bool kUnpacksInRegisters = false;  // one token straight from the record
constexpr int kTileTokens = 1, kTileBlocks = 1;

#define LOAM_INTS(expression)                         \
  I32x16 r;                                           \
  for (int i = 0; i < 16; ++i) r.v[i] = (expression); \
  return r
#define LOAM_BYTES(expression)                                 \
  Line r;                                                      \
  for (int i = 0; i < 64; ++i) r.v[i] = uint8_t((expression)); \
  return r

inline I32x16 operator*(I32x16 a, I32x16 b) { LOAM_INTS(int32_t(uint32_t(a.v[i]) * uint32_t(b.v[i]))); }
inline I32x16 operator^(I32x16 a, I32x16 b) { LOAM_INTS(a.v[i] ^ b.v[i]); }
inline I32x16 shift_right_bits(I32x16 a, int n) { LOAM_INTS(int32_t(uint32_t(a.v[i]) >> n)); }
inline I32x16 shift_left_bits(I32x16 a, int n) { LOAM_INTS(int32_t(uint32_t(a.v[i]) << n)); }
inline I32x16 load_bytes(const uint8_t* p) { LOAM_INTS(p[i]); }
inline I32x16 load_signed_bytes(const uint8_t* p) { LOAM_INTS(int8_t(p[i])); }
inline void store_low_bytes(int8_t* p, I32x16 a) {
  for (int i = 0; i < 16; ++i) p[i] = int8_t(a.v[i]);
}
inline int32_t sum_lanes(I32x16 a) {
  uint32_t sum = 0;
  for (int i = 0; i < 16; ++i) sum += uint32_t(a.v[i]);
  return int32_t(sum);
}
inline uint32_t max_lane(I32x16 a) {
  uint32_t m = 0;
  for (int i = 0; i < 16; ++i) m = uint32_t(a.v[i]) > m ? uint32_t(a.v[i]) : m;
  return m;
}
inline F32x16 low_halves_from_f16(I32x16 a) {
  uint16_t halves[16];
  for (int i = 0; i < 16; ++i) halves[i] = uint16_t(a.v[i]);
  return load_f16(halves);
}

inline Line load_line(const void* p) {
  Line r;
  __builtin_memcpy(r.v, p, 64);
  return r;
}
inline void store_line(void* p, Line a) { __builtin_memcpy(p, a.v, 64); }
inline Line splat_byte(int x) { LOAM_BYTES(x); }
inline Line splat_word(const int8_t* p) { LOAM_BYTES(p[i % 4]); }
inline Line operator&(Line a, Line b) { LOAM_BYTES(a.v[i] & b.v[i]); }
inline Line operator|(Line a, Line b) { LOAM_BYTES(a.v[i] | b.v[i]); }
inline Line operator^(Line a, Line b) { LOAM_BYTES(a.v[i] ^ b.v[i]); }
inline Line operator-(Line a, Line b) { LOAM_BYTES(a.v[i] - b.v[i]); }
inline Line shift_right(Line a, int n) { LOAM_BYTES(a.v[i] >> n); }
inline Line shift_left(Line a, int n) { LOAM_BYTES(a.v[i] << n); }
// Groups g..g+3 (g a multiple of 4) of a plane of kBits: 16 bytes each, one a row.
template <int kBits>
inline Line spread_groups(const uint8_t* p, uint32_t g) {
  LOAM_BYTES((p[(g + uint32_t(i) / 16) * kBits / 8 * 16 + uint32_t(i) % 16] >> ((g + uint32_t(i) / 16) * kBits % 8)) &
             ((1 << kBits) - 1));
}
inline Line times(Line a, Line b) { LOAM_BYTES(a.v[i] * b.v[i]); }
inline Line as_line(I32x16 a) { return load_line(a.v); }
inline I32x16 as_ints(Line a) {
  I32x16 r;
  __builtin_memcpy(r.v, a.v, 64);
  return r;
}
inline Line repeat_low_byte(I32x16 a) { LOAM_BYTES(a.v[i / 4]); }
inline Line table_line(const int8_t* table) { LOAM_BYTES(table[i % 16]); }
inline Line lookup(Line table, Line index) { LOAM_BYTES(table.v[index.v[i] & 15]); }
inline Line select(Line mask, Line a, Line b) { LOAM_BYTES(mask.v[i] ? a.v[i] : b.v[i]); }
template <bool kSigned>
inline I32x16 dot(I32x16 sum, Line w, Line x) {
  for (int i = 0; i < 64; ++i) sum.v[i / 4] += int8_t(w.v[i]) * int8_t(x.v[i]);
  return sum;
}
template <bool kSigned>
inline I32x16 dot_word(I32x16 sum, Line w, const int8_t* x) {
  return dot<kSigned>(sum, w, splat_word(x));
}
inline void prefetch(const void* p) { __builtin_prefetch(p); }

#undef LOAM_INTS
#undef LOAM_BYTES

}  // namespace
}  // namespace loam::cpu::ISA

#include "backends/cpu/isa/dot_lines.h"
