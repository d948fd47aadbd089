// The integers of a segment's groups as bytes [group][row], for one token: taken apart four groups at a time, widened
// where they are used.
#pragma once
#include <cstring>

#include "backends/cpu/kernels/unpack.h"

namespace loam::cpu::ISA {
namespace {

constexpr uint32_t kMostGroups = LOAM_SEGMENT_K / 16;
struct GroupBytes {
  alignas(64) uint8_t s[kMostGroups * 16], m[kMostGroups * 16], t[kMostGroups * 16];
};

// s or m of a segment.
struct GroupInts {
  const uint8_t* bytes;
  bool is_unsigned;
  LOAM_INLINE I32x16 operator[](int64_t group) const {
    return is_unsigned ? load_bytes(bytes + group * 16) : load_signed_bytes(bytes + group * 16);
  }
};

template <int kWide, int kNarrow>
LOAM_INLINE Line spread_planes(const uint8_t* wide, const uint8_t* narrow, uint32_t g) {
  const Line x = spread_groups<kWide>(wide, 0);
  if constexpr (kNarrow == 0) return x;
  if constexpr (kNarrow != 0) return x | shift_left(spread_groups<kNarrow>(narrow, g * kNarrow % 8 / kNarrow), kWide);
}

// put(g, line): groups g..g+3 of `count`; the last line may hold groups that do not exist.
template <int kWide, int kNarrow, class Put>
LOAM_INLINE void for_group_lines(const uint8_t* wide, uint32_t count, Put put) {
  const uint8_t* narrow = wide + (count * kWide + 7) / 8 * 16;
  uint32_t g = 0;
  for (; g + 4 <= count; g += 4, wide += kWide * 8)
    put(g, spread_planes<kWide, kNarrow>(wide, narrow + g * kNarrow / 8 * 16, g));
  if (g == count) return;
  alignas(64) uint8_t copy[64] = {};  // the segment may end the file
  std::memcpy(copy, wide, ((count - g) * kWide + 7) / 8 * 16);
  put(g, spread_planes<kWide, kNarrow>(copy, narrow + g * kNarrow / 8 * 16, g));
}

// Magnitude in the low kBits, then the sign, then t (0 or 255 here).
template <int kBits>
LOAM_INLINE void put_sign_magnitude_bytes(uint32_t g, Line x, uint8_t* out, uint8_t* t) {
  const Line none = splat_byte(0), one = splat_byte(1);
  const Line negative = none - (shift_right(x, kBits) & one);
  store_line(out + g * 16, ((x & splat_byte((1 << kBits) - 1)) ^ negative) - negative);
  store_line(t + g * 16, none - (shift_right(x, kBits + 1) & one));
}

// s or m of a segment; t where the format has it. Formats that are bytes already stay where they are.
LOAM_INLINE GroupInts group_ints(IntFormat format, const std::byte* plane, uint32_t count, uint8_t* out, uint8_t* t) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(plane);
  const auto plain = [&](uint32_t g, Line x) { store_line(out + g * 16, x); };
  const auto minus_32 = [&](uint32_t g, Line x) { store_line(out + g * 16, x - splat_byte(32)); };
  switch (format) {
    case IntFormat::none: break;
    case IntFormat::u8: return {p, true};
    case IntFormat::i8: return {p, false};
    case IntFormat::u4: for_group_lines<4, 0>(p, count, plain); break;
    case IntFormat::u6: for_group_lines<4, 2>(p, count, plain); break;
    case IntFormat::i6: for_group_lines<4, 2>(p, count, minus_32); break;
    case IntFormat::st8:
      for_group_lines<8, 0>(p, count, [&](uint32_t g, Line x) { put_sign_magnitude_bytes<6>(g, x, out, t); });
      break;
    case IntFormat::st5:
      for_group_lines<4, 1>(p, count, [&](uint32_t g, Line x) { put_sign_magnitude_bytes<3>(g, x, out, t); });
      break;
  }
  return {out, false};
}

}  // namespace
}  // namespace loam::cpu::ISA
