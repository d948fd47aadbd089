// 64-byte lines of 16 rows x 4 bytes in four registers of NEON. Panels hold codes of at most 6 bits as they are, else
// signed levels: one signed dot reads both.
#pragma once
#include "backends/cpu/isa/neon.h"

namespace loam::cpu::ISA {
namespace {

struct Line {
  uint8x16_t v[4];
};
constexpr int kPanelBias = 0;               // added to signed levels
constexpr bool kSignedDots = false;         // a second dot for signed panels
constexpr int kLargestCodeBits = 6;         // of codes that dots take as they are
constexpr bool kUnpacksInRegisters = true;  // one token straight from the record
constexpr int kTileTokens = 6, kTileBlocks = 1;

#define LOAM_PARTS(Result, expression)               \
  Result r;                                          \
  UNROLL                                             \
  for (int i = 0; i < 4; ++i) r.v[i] = (expression); \
  return r

LOAM_INLINE I32x16 operator*(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, vmulq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 operator^(I32x16 a, I32x16 b) { LOAM_PARTS(I32x16, veorq_s32(a.v[i], b.v[i])); }
LOAM_INLINE I32x16 shift_right_bits(I32x16 a, int n) {
  LOAM_PARTS(I32x16, vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v[i]), vdupq_n_s32(-n))));
}
LOAM_INLINE I32x16 shift_left_bits(I32x16 a, int n) { LOAM_PARTS(I32x16, vshlq_s32(a.v[i], vdupq_n_s32(n))); }
LOAM_INLINE I32x16 load_bytes(const uint8_t* p) {  // 16 bytes, one a lane
  const uint8x16_t x = vld1q_u8(p);
  const uint16x8_t low = vmovl_u8(vget_low_u8(x)), high = vmovl_u8(vget_high_u8(x));
  return {{vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(low))),
           vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))),
           vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(high)))}};
}
LOAM_INLINE I32x16 load_signed_bytes(const uint8_t* p) {
  const int8x16_t x = vreinterpretq_s8_u8(vld1q_u8(p));
  const int16x8_t low = vmovl_s8(vget_low_s8(x)), high = vmovl_s8(vget_high_s8(x));
  return {{vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_high_s16(low)), vmovl_s16(vget_low_s16(high)),
           vmovl_s16(vget_high_s16(high))}};
}
LOAM_INLINE void store_low_bytes(int8_t* p, I32x16 a) {
  const int16x8_t low = vcombine_s16(vmovn_s32(a.v[0]), vmovn_s32(a.v[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(a.v[2]), vmovn_s32(a.v[3]));
  vst1q_s8(p, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
LOAM_INLINE int32_t sum_lanes(I32x16 a) {
  return vaddvq_s32(vaddq_s32(vaddq_s32(a.v[0], a.v[1]), vaddq_s32(a.v[2], a.v[3])));
}
LOAM_INLINE uint32_t max_lane(I32x16 a) {
  const uint32x4_t x = vmaxq_u32(vreinterpretq_u32_s32(a.v[0]), vreinterpretq_u32_s32(a.v[1]));
  const uint32x4_t y = vmaxq_u32(vreinterpretq_u32_s32(a.v[2]), vreinterpretq_u32_s32(a.v[3]));
  return vmaxvq_u32(vmaxq_u32(x, y));
}
LOAM_INLINE F32x16 low_halves_from_f16(I32x16 a) {
  LOAM_PARTS(F32x16, vcvt_f32_f16(vreinterpret_f16_s16(vmovn_s32(a.v[i]))));
}

LOAM_INLINE Line load_line(const void* p) { LOAM_PARTS(Line, vld1q_u8(static_cast<const uint8_t*>(p) + 16 * i)); }
LOAM_INLINE void store_line(void* p, Line a) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst1q_u8(static_cast<uint8_t*>(p) + 16 * i, a.v[i]);
}
LOAM_INLINE Line splat_byte(int x) { LOAM_PARTS(Line, vdupq_n_u8(uint8_t(x))); }
LOAM_INLINE Line splat_word(const int8_t* p) {
  uint32_t word;
  __builtin_memcpy(&word, p, 4);
  LOAM_PARTS(Line, vreinterpretq_u8_u32(vdupq_n_u32(word)));
}
LOAM_INLINE Line operator&(Line a, Line b) { LOAM_PARTS(Line, vandq_u8(a.v[i], b.v[i])); }
LOAM_INLINE Line operator|(Line a, Line b) { LOAM_PARTS(Line, vorrq_u8(a.v[i], b.v[i])); }
LOAM_INLINE Line operator^(Line a, Line b) { LOAM_PARTS(Line, veorq_u8(a.v[i], b.v[i])); }
LOAM_INLINE Line operator-(Line a, Line b) { LOAM_PARTS(Line, vsubq_u8(a.v[i], b.v[i])); }
LOAM_INLINE Line shift_right(Line a, int n) { LOAM_PARTS(Line, vshlq_u8(a.v[i], vdupq_n_s8(int8_t(-n)))); }
LOAM_INLINE Line shift_left(Line a, int n) { LOAM_PARTS(Line, vshlq_u8(a.v[i], vdupq_n_s8(int8_t(n)))); }
// Groups g..g+3 (g a multiple of 4) of a plane of kBits: 16 bytes each, one a row.
template <int kBits>
LOAM_INLINE Line spread_groups(const uint8_t* p, uint32_t g) {
  const auto shift = [&](uint32_t i) { return vdupq_n_s8(int8_t(-int((g + i) * kBits % 8))); };
  LOAM_PARTS(Line, vandq_u8(vshlq_u8(vld1q_u8(p + (g + uint32_t(i)) * kBits / 8 * 16), shift(uint32_t(i))),
                            vdupq_n_u8((1 << kBits) - 1)));
}
LOAM_INLINE Line times(Line a, Line b) { LOAM_PARTS(Line, vmulq_u8(a.v[i], b.v[i])); }  // low bytes
LOAM_INLINE Line as_line(I32x16 a) { LOAM_PARTS(Line, vreinterpretq_u8_s32(a.v[i])); }
LOAM_INLINE I32x16 as_ints(Line a) { LOAM_PARTS(I32x16, vreinterpretq_s32_u8(a.v[i])); }
LOAM_INLINE Line repeat_low_byte(I32x16 a) {  // the low byte of each row, four times
  LOAM_PARTS(Line, vreinterpretq_u8_s32(vmulq_s32(vandq_s32(a.v[i], vdupq_n_s32(255)), vdupq_n_s32(0x01010101))));
}
LOAM_INLINE Line table_line(const int8_t* table) { LOAM_PARTS(Line, vreinterpretq_u8_s8(vld1q_s8(table))); }
LOAM_INLINE Line lookup(Line table, Line index) { LOAM_PARTS(Line, vqtbl1q_u8(table.v[i], index.v[i])); }
LOAM_INLINE Line select(Line mask, Line a, Line b) { LOAM_PARTS(Line, vbslq_u8(mask.v[i], a.v[i], b.v[i])); }
template <bool kSigned>
LOAM_INLINE I32x16 dot(I32x16 sum, Line w, Line x) {
  LOAM_PARTS(I32x16, vdotq_s32(sum.v[i], vreinterpretq_s8_u8(w.v[i]), vreinterpretq_s8_u8(x.v[i])));
}
template <bool kSigned>
LOAM_INLINE I32x16 dot_word(I32x16 sum, Line w, const int8_t* x) {
  return dot<kSigned>(sum, w, splat_word(x));
}
LOAM_INLINE void prefetch(const void* p) { __builtin_prefetch(p); }

#undef LOAM_PARTS

}  // namespace
}  // namespace loam::cpu::ISA
