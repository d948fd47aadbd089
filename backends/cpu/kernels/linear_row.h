// One token times one row block, straight down the record: codes are unpacked in registers. What a decoded token costs
// is reading the weights once, so the next lines are prefetched.
#pragma once
#include "backends/cpu/kernels/linear_tile.h"
#include "backends/cpu/kernels/row_integers.h"
#include "backends/cpu/kernels/unpack_panel.h"

namespace loam::cpu::ISA {
namespace {

// What a row block is multiplied by, and how.
struct RowArgs {
  const MatrixPlan* plan;
  const Recipe* recipe;
  const std::byte* record;
  const int8_t* x;
  const float* scales;
  const int32_t* sums;
  Panel* panel;  // d, e of a segment
  BlockState* state;
};
using RowKernel = void (*)(const RowArgs&);

enum class RowScales : uint8_t { none, by_32, by_16 };  // k per integer s

// Sums that a fold ends.
struct RowSums {
  F32x16 sum, sum_e;
  I32x16 total, total_e;
};

// The integers of a segment, and whose m is: the grid's or E's.
struct SegmentInts {
  GroupInts s, m;
  const uint8_t* t;
  bool grid_m, e_m;
};

LOAM_INLINE int32_t sum_between(const int32_t* sums, int64_t begin, int64_t end) {
  return int32_t(uint32_t(sums[end / 16]) - uint32_t(sums[begin / 16]));
}

// The dots of 32 k, as two halves that start from what is in them.
template <int kBits, int kTables>
LOAM_INLINE void dots_of_32(const uint8_t* wide, const uint8_t* narrow, uint32_t k, const int8_t* x, Line first,
                            I32x16 (&acc)[2]) {
  constexpr int kWide = kBits == 3 ? 2 : kBits == 5 || kBits == 6 ? 4 : kBits, kNarrow = kBits - kWide;
  constexpr bool kSigned = kSignedDots && (kTables > 0 || kBits > kLargestCodeBits);
  UNROLL
  for (int j = 0; j < 8; ++j) {
    Line w = code_line<kWide>(wide, k, j);
    if constexpr (kNarrow > 0) w = w | shift_left(code_line<kNarrow>(narrow, k, j), kWide);
    if constexpr (kTables > 0) w = lookup(first, w);
    if constexpr (kTables == 0 && kBits > kLargestCodeBits) w = w - first;  // first: zero
    acc[j / 4] = dot_word<kSigned>(acc[j / 4], w, x + 4 * j);
  }
}

// Adds n k (16 or 32) from k of a segment: total += s * dot - m * sum, total_e += m * sum.
template <RowScales kScales>
LOAM_INLINE void add_group(const SegmentInts& ints, int64_t group, int32_t sum, I32x16 dot, RowSums& r) {
  if constexpr (kScales != RowScales::none) dot = dot * ints.s[group];
  r.total = r.total + dot;
  if (ints.grid_m) r.total = r.total - ints.m[group] * splat(sum);
  if (ints.e_m) r.total_e = r.total_e + ints.m[group] * splat(sum);
}

// D or E of a block, straight from the record where it is f16.
LOAM_INLINE F32x16 block_float(FloatFormat format, const std::byte* floats, const float* unpacked, int64_t block) {
  return format == FloatFormat::f16 ? load_f16(reinterpret_cast<const uint16_t*>(floats) + block * 16)
                                    : load(unpacked + block * 16);
}

template <int kBits, int kTables, RowScales kScales>
LOAM_INLINE void row_segment(const RowArgs& a, const SegmentLayout& l, const std::byte* segment, int64_t k0,
                             RowSums& r) {
  const MatrixPlan& p = *a.plan;
  const TypeInfo& type = p.type;
  const bool has_m = a.recipe->needs_m, has_e = type.e != FloatFormat::none;
  GroupBytes bytes;
  SegmentInts ints{{}, {}, bytes.t, has_m && type.family == Family::grid, has_m && has_e};
  if (kScales != RowScales::none) ints.s = group_ints(type.s, segment + l.s, l.groups, bytes.s, bytes.t);
  if (has_m) ints.m = group_ints(type.m, segment + l.m, l.groups, bytes.m, bytes.t);
  if (l.blocks && type.d != FloatFormat::f16) unpack_floats(type.d, segment + l.d, l.blocks, a.panel->d);
  if (l.blocks && type.e != FloatFormat::f16) unpack_floats(type.e, segment + l.e, l.blocks, a.panel->e);
  constexpr bool kLevels = kTables > 0 || kBits > kLargestCodeBits;
  const int32_t zero = kLevels ? kPanelBias : type.zero;
  const Line first =
      kTables > 0 ? table_line(a.recipe->codes.tables[0]) ^ splat_byte(kPanelBias) : splat_byte(type.zero);
  const uint8_t* wide = reinterpret_cast<const uint8_t*>(segment);
  const uint8_t* narrow = wide + l.codes_narrow;
  const int8_t* x = a.x + k0;
  const int32_t* sums = a.sums + k0 / 16;
  const uint8_t* ahead = wide + kPrefetchBytes;
  const int64_t ahead_step = p.full.bytes / 8, n = l.n, fold = p.fold;
  for (int64_t k = 0; k < n; k += 32, ahead += ahead_step) {
    UNROLL
    for (int i = 0; i <= kBits; ++i) prefetch(ahead + i * 64);
    const int32_t low = sum_between(sums, k, k + 16), high = sum_between(sums, k + 16, k + 32);
    I32x16 acc[2];
    acc[0] = splat(int32_t(-zero * (kScales == RowScales::by_16 ? low : low + high)));
    acc[1] = splat(int32_t(kScales == RowScales::by_16 ? -zero * high : 0));
    if constexpr (kTables == kShiftedTable) {
      const int32_t shift = a.recipe->codes.shift, sum = kScales == RowScales::by_16 ? low : low + high;
      acc[0] = acc[0] + (load_signed_bytes(ints.t + (k >> p.group_shift) * 16) & splat(int32_t(shift * sum)));
      if constexpr (kScales == RowScales::by_16)
        acc[1] = acc[1] + (load_signed_bytes(ints.t + ((k + 16) >> p.group_shift) * 16) & splat(int32_t(shift * high)));
    }
    dots_of_32<kBits, kTables>(wide, narrow, uint32_t(k), x + k, first, acc);
    if constexpr (kScales == RowScales::by_16) {
      add_group<kScales>(ints, k >> p.group_shift, low, acc[0], r);
      add_group<kScales>(ints, (k + 16) >> p.group_shift, high, acc[1], r);
    } else {
      add_group<kScales>(ints, k >> p.group_shift, low + high, acc[0] + acc[1], r);
    }
    if (((k + 32) & (fold - 1)) != 0 && k + 32 < n) continue;
    const int64_t begin = k & ~(fold - 1), block = begin >> p.block_shift;
    F32x16 scale = splat(a.scales[(k0 + begin) >> p.scale_shift]), scale_e = scale;
    if (has_e) {
      if (type.block) scale_e = block_float(type.e, segment + l.e, a.panel->e, block) * scale;
      const F32x16 e = ints.e_m ? to_float(r.total_e) : splat(float(sum_between(sums, begin, k + 32)));
      r.sum_e = fma(e, scale_e, r.sum_e);
      r.total_e = splat(int32_t(0));
    }
    if (type.block) scale = block_float(type.d, segment + l.d, a.panel->d, block) * scale;
    r.sum = fma(to_float(r.total), scale, r.sum);
    r.total = splat(int32_t(0));
  }
}

template <int kBits, int kTables, RowScales kScales>
void multiply_row(const RowArgs& a) {
  const MatrixPlan& p = *a.plan;
  RowSums r{zero(), zero(), splat(int32_t(0)), splat(int32_t(0))};
  for (int64_t k = 0; k < p.padded; k += LOAM_SEGMENT_K) {
    const int64_t i = k / LOAM_SEGMENT_K;
    row_segment<kBits, kTables, kScales>(a, uint32_t(i) < p.full_count ? p.full : p.last,
                                         a.record + uint64_t(i) * p.full.bytes, k, r);
  }
  store(a.state->sum, r.sum);
  store(a.state->e, r.sum_e);
}

template <int kBits, int kTables>
RowKernel pick_row_scales(RowScales scales) {
  switch (scales) {
    case RowScales::none: return multiply_row<kBits, kTables, RowScales::none>;
    case RowScales::by_32: return multiply_row<kBits, kTables, RowScales::by_32>;
    case RowScales::by_16: break;
  }
  return multiply_row<kBits, kTables, RowScales::by_16>;
}
template <int kBits>
RowKernel pick_row_tables(int tables, RowScales scales) {
  if constexpr (kBits <= 4) {
    if (tables == kOneTable) return pick_row_scales<kBits, kOneTable>(scales);
    if (tables == kShiftedTable) return pick_row_scales<kBits, kShiftedTable>(scales);
  }
  return pick_row_scales<kBits, 0>(scales);
}

template <bool kUsed>
RowKernel pick_row_bits(int bits, int tables, RowScales scales) {
  switch (bits) {
    case 1: return pick_row_tables<1>(tables, scales);
    case 2: return pick_row_tables<2>(tables, scales);
    case 3: return pick_row_tables<3>(tables, scales);
    case 4: return pick_row_tables<4>(tables, scales);
    case 5: return pick_row_tables<5>(tables, scales);
    case 6: return pick_row_tables<6>(tables, scales);
    default: return pick_row_tables<8>(tables, scales);
  }
}

// Null where there is none: a fold of 16, m of 16 k without s, or two unlike tables.
RowKernel pick_row_kernel(const MatrixPlan& p, const Recipe& r) {
  if constexpr (kUnpacksInRegisters) {
    if (p.fold < 32 || (p.step < 32 && !r.needs_s) || r.tables == kTwoTables) return nullptr;
    return pick_row_bits<kUnpacksInRegisters>(p.type.bits, r.tables,
                                              !r.needs_s    ? RowScales::none
                                              : p.step < 32 ? RowScales::by_16
                                                            : RowScales::by_32);
  }
  (void)p, (void)r;
  return nullptr;
}

}  // namespace
}  // namespace loam::cpu::ISA
