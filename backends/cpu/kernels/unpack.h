// A record's codes, integers and floats taken apart, 16 rows at a time, into a panel that dots read. Every stage is
// chosen by fields of the type's row, so that a new row needs no code.
#pragma once
#include "backends/cpu/kernels/linear_plan.h"
#include "backends/cpu/kernels/prefetch_far.h"
#include "backends/cpu/kernels/shapes.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

// The integers of `count` groups: a plane of kWide bits, then one of kNarrow. Works on whole bytes of the narrow plane,
// so that shifts are constants: up to 8 groups more are written, which lie before what is unpacked next.
template <int kWide, int kNarrow, class Put>
LOAM_INLINE void unpack_planes(const uint8_t* p, uint32_t count, Put put) {
  constexpr uint32_t kWidePerByte = 8 / kWide, kNarrowPerByte = kNarrow ? 8 / kNarrow : 1;
  constexpr uint32_t kTogether = kNarrow ? kNarrowPerByte : kWidePerByte;
  const uint8_t* narrow = p + (count * kWide + 7) / 8 * 16;
  for (uint32_t g = 0; g < count; g += kTogether) {
    [[maybe_unused]] const I32x16 high = kNarrow ? load_bytes(narrow + g / kNarrowPerByte * 16) : splat(int32_t(0));
    I32x16 low = load_bytes(p + g / kWidePerByte * 16);
    UNROLL
    for (uint32_t i = 0; i < kTogether; ++i) {
      if (i && i % kWidePerByte == 0) low = load_bytes(p + (g + i) / kWidePerByte * 16);
      I32x16 x = low;
      if constexpr (kWide < 8) {
        x = shift_right_bits(x, int(i % kWidePerByte) * kWide) & splat(int32_t((1 << kWide) - 1));
      }
      if constexpr (kNarrow > 0) {
        const I32x16 bits = shift_right_bits(high, int(i) * kNarrow) & splat(int32_t((1 << kNarrow) - 1));
        x = x | shift_left<kWide>(bits);
      }
      put(g + i, x);
    }
  }
}

// Magnitude in the low kBits, then the sign, then t (0 or -1 as it is stored here).
template <int kBits>
LOAM_INLINE void put_sign_magnitude(uint32_t g, I32x16 x, int32_t* out, int32_t* t) {
  const I32x16 none = splat(int32_t(0)), one = splat(int32_t(1));
  const I32x16 negative = none - (shift_right<kBits>(x) & one);
  store(out + g * 16, ((x & splat(int32_t((1 << kBits) - 1))) ^ negative) - negative);
  store(t + g * 16, none - (shift_right<kBits + 1>(x) & one));
}

// s or m of a segment as int32 [group][row]; t where the format has it.
void unpack_ints(IntFormat format, const std::byte* plane, uint32_t count, int32_t* out, int32_t* t) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(plane);
  const auto plain = [&](uint32_t g, I32x16 x) { store(out + g * 16, x); };
  switch (format) {
    case IntFormat::none: break;
    case IntFormat::u4: unpack_planes<4, 0>(p, count, plain); break;
    case IntFormat::u8: unpack_planes<8, 0>(p, count, plain); break;
    case IntFormat::u6: unpack_planes<4, 2>(p, count, plain); break;
    case IntFormat::i6:
      unpack_planes<4, 2>(p, count, [&](uint32_t g, I32x16 x) { store(out + g * 16, x - splat(int32_t(32))); });
      break;
    case IntFormat::i8:
      unpack_planes<8, 0>(p, count,
                          [&](uint32_t g, I32x16 x) { store(out + g * 16, shift_right<24>(shift_left<24>(x))); });
      break;
    case IntFormat::st8:
      unpack_planes<8, 0>(p, count, [&](uint32_t g, I32x16 x) { put_sign_magnitude<6>(g, x, out, t); });
      break;
    case IntFormat::st5:
      unpack_planes<4, 1>(p, count, [&](uint32_t g, I32x16 x) { put_sign_magnitude<3>(g, x, out, t); });
      break;
  }
}

LOAM_INLINE F32x16 load_e8m0_half(const uint8_t* p) {  // (e - 1) << 23, but subnormal below 2
  const I32x16 e = load_bytes(p), one = splat(int32_t(1)), below = e - one;
  const I32x16 tiny = shift_left<21>(one + (e - max(below, splat(int32_t(0)))));
  return as_float(max(shift_left<23>(below), tiny));
}

// D or E of `count` blocks as f32 [block][row].
void unpack_floats(FloatFormat format, const std::byte* p, uint32_t count, float* out) {
  const float* singles = reinterpret_cast<const float*>(p);
  const uint16_t* halves = reinterpret_cast<const uint16_t*>(p);
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(p);
  const uint32_t n = count * 16;
  switch (format) {
    case FloatFormat::none: break;
    case FloatFormat::f32:
      for (uint32_t i = 0; i < n; i += 16) store(out + i, load(singles + i));
      break;
    case FloatFormat::f16:
      for (uint32_t i = 0; i < n; i += 16) store(out + i, load_f16(halves + i));
      break;
    case FloatFormat::bf16:
      for (uint32_t i = 0; i < n; i += 16) store(out + i, load_bf16(halves + i));
      break;
    case FloatFormat::e8m0_half:
      for (uint32_t i = 0; i < n; i += 16) store(out + i, load_e8m0_half(bytes + i));
      break;
  }
}

constexpr int64_t kPrefetchBytes = 2048, kPrefetchFarBytes = 8192;

// What follows 32 k of a record: early to the second cache, which waits for more lines at a time, then to the first.
LOAM_INLINE void prefetch_record(const uint8_t* at, int bits, bool far) {
  UNROLL
  for (int i = 0; i <= bits; ++i) {
    prefetch(at + kPrefetchBytes + i * 64);
    if (far) prefetch_far(at + kPrefetchFarBytes + i * 64);
  }
}

// What the codes of a segment become: bytes of a panel.
struct CodeArgs {
  Shape shape;
  const uint8_t *wide, *narrow;  // planes
  uint32_t n, ahead_step;        // bytes of the record per 32 k, metadata included
  uint8_t* out;
  const int32_t *s, *m, *t;  // [group][row] of this segment
  int group_shift;
  int zero;
  int shift;  // of the second table against the first
  bool has_m;
  alignas(16) int8_t tables[2][16];
};
using UnpackCodes = void (*)(const CodeArgs&);

constexpr int wide_bits(int bits) { return bits == 3 ? 2 : bits == 5 || bits == 6 ? 4 : bits; }

LOAM_INLINE Line plane_line(int bits, const uint8_t* plane, uint32_t k, int j) {  // k..k+3 plus 4 j
  const int per_byte = 8 / bits;
  const Line line = load_line(plane + k * uint32_t(2 * bits) + j / per_byte * 64);
  if (bits == 8) return line;
  return (j % per_byte ? shift_right(line, j % per_byte * bits) : line) & splat_byte((1 << bits) - 1);
}
LOAM_INLINE Line code_line(int bits, const uint8_t* wide, const uint8_t* narrow, uint32_t k, int j) {
  const int low = wide_bits(bits);
  const Line line = plane_line(low, wide, k, j);
  return low == bits ? line : line | shift_left(plane_line(bits - low, narrow, k, j), low);
}

template <Shape kShape>
void unpack_codes(const CodeArgs& args) {
  const CodeArgs a = args;  // the stores below could change what a reference refers to
  const Shape shape = kShape == kAnyShape ? a.shape : kShape;
  const uint8_t* ahead = a.wide;
  // What a panel wants is the result ^ bias, that is + 128 modulo 256 or nothing: done once, to a table, zero or m.
  const bool scales = shape.arithmetic == Arithmetic::scale, levels = shape.arithmetic != Arithmetic::code;
  const Line bias = splat_byte(kPanelBias), none = splat_byte(0), early = scales ? none : bias;
  const Line zero = none - (splat_byte(a.zero) ^ early), shift = splat_byte(a.shift);
  const Line first = table_line(a.tables[0]) ^ early, second = table_line(a.tables[1]) ^ early;
  Line s{}, m{}, t{}, more{};  // more: what is added to a level
  for (uint32_t k = 0; k < a.n; k += 32, ahead += a.ahead_step) {
    prefetch_record(ahead, kShape.bits ? kShape.bits : 8, false);
    UNROLL
    for (int j = 0; j < 8; ++j) {
      if (j % 4 == 0) {
        const uint32_t group = (k + 4 * uint32_t(j)) >> a.group_shift << 4;
        if (shape.tables >= kTwoTables) t = as_line(load(a.t + group));
        more = shape.tables == kShiftedTable ? t & shift : shape.tables == kNoTable ? zero : none;
        if (scales) s = repeat_low_byte(load(a.s + group));
        if (levels) m = a.has_m ? repeat_low_byte(load(a.m + group)) : none;
        m = scales ? m ^ bias : m - more;
      }
      Line x = code_line(shape.bits, a.wide, a.narrow, k, j);
      if (shape.tables == kOneTable || shape.tables == kShiftedTable) x = lookup(first, x);
      if (shape.tables == kTwoTables) x = select(t, lookup(second, x), lookup(first, x));
      if (scales) x = times(x - (none - more), s);
      if (levels) x = x - m;
      store_line(a.out + k * 16 + uint32_t(j) * 64, x);
    }
  }
}

constexpr Shape unpack_shape(Shape s) { return {s.bits, s.tables, s.arithmetic, RowScales::none, false}; }
template <int kIndex = kFirstShape>
UnpackCodes pick_unpack(const Shape& shape) {
  if constexpr (kIndex < kBuiltInCount) {
    constexpr Shape kShape = unpack_shape(shape_of(kBuiltInTypes[kIndex]));
    return unpack_shape(shape) == kShape ? unpack_codes<kShape> : pick_unpack<next_shape(kIndex)>(shape);
  }
  return unpack_codes<kAnyShape>;
}

}  // namespace
}  // namespace loam::cpu::ISA
