// One token times one row block, straight down the record: codes are unpacked in registers. What a decoded token costs
// is reading the weights once, so the next lines are prefetched.
#pragma once
#include "backends/cpu/kernels/linear_round.h"
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
  const int32_t* starts;
  SegmentScratch* parts;  // d, e of a segment
  BlockState* state;
};
using RowKernel = void (*)(const RowArgs&);

// Sums, each of which ends with a fold, a step or the row.
struct RowSums {
  F32x16 sum, fold;
  I32x16 step;
  int32_t step_codes;  // of the activations alone
};

LOAM_INLINE int32_t sum_of_codes(const int32_t* starts) {  // of 16
  static_assert(kPanelBias == 0 || kPanelBias == 128);
  return kPanelBias ? -(starts[0] >> 7) : starts[0];
}

// What the steps of a segment are multiplied by.
struct RowUnits {
  const MatrixPlan* plan;
  GroupInts s, m;
  const uint8_t* t;
  bool grid_m, scaled_s, scaled_m;
  const std::byte *raw_d, *raw_e;  // in the record
  const float *d, *e;              // where they are not f16

  LOAM_INLINE F32x16 block_float(FloatFormat format, const std::byte* raw, const float* unpacked, int64_t k) const {
    const int64_t block = k >> plan->block_shift << 4;
    return format == FloatFormat::f16 && raw ? load_f16(reinterpret_cast<const uint16_t*>(raw) + block)
                                             : load(unpacked + block);
  }
  // fold + D * s * step - E * m * sum, of a step that has k.
  LOAM_INLINE F32x16 add_step(int64_t k, I32x16 step, int32_t sum, F32x16 fold) const {
    const int64_t group = k >> plan->group_shift;
    const F32x16 x = to_float(step);
    if (plan->d_at_end) return fma(x, scaled_s ? to_float(s[group]) : splat(1.f), fold);
    F32x16 scale = block_float(plan->type.d, raw_d, d, k);
    if (scaled_s) scale = scale * to_float(s[group]);
    fold = fma(x, scale, fold);
    if (!plan->has_e) return fold;
    F32x16 offset = block_float(plan->type.e, raw_e, e, k);
    if (scaled_m) offset = offset * to_float(m[group]);
    return fma(splat(float(sum)), -offset, fold);
  }
};

// The dots of 32 k, as two halves that start from what is in them.
template <int kBits, int kTables>
LOAM_INLINE void dots_of_32(const uint8_t* wide, const uint8_t* narrow, uint32_t k, const int8_t* x, Line first,
                            I32x16 (&acc)[2]) {
  constexpr bool kSigned = kSignedDots && (kTables > 0 || kBits > kLargestCodeBits);
  UNROLL
  for (int j = 0; j < 8; ++j) {
    Line w = code_line(kBits, wide, narrow, k, j);
    if constexpr (kTables > 0) w = lookup(first, w);
    if constexpr (kTables == 0 && kBits > kLargestCodeBits) w = w - first;  // first: zero
    acc[j / 4] = dot_word<kSigned>(acc[j / 4], w, x + 4 * j);
  }
}

// One group of a grid type: s * dot - m * sum.
template <RowScales kScales>
LOAM_INLINE I32x16 grid_group(const RowUnits& u, int64_t group, int32_t sum, I32x16 dot) {
  if constexpr (kScales != RowScales::none) dot = dot * u.s[group];
  return u.grid_m ? dot - u.m[group] * splat(sum) : dot;
}

// Once per segment, for all shapes.
[[gnu::noinline, maybe_unused]] RowUnits row_units(const RowArgs& a, const SegmentLayout& l, const std::byte* segment,
                                                   GroupBytes& bytes) {
  const TypeInfo& type = a.plan->type;
  const bool has_s = a.recipe->needs_s, has_m = a.recipe->needs_m, grid = type.family == Family::grid;
  RowUnits u{a.plan,         {},      {},      bytes.t,    has_m && grid, has_s && !grid,
             has_m && !grid, nullptr, nullptr, a.parts->d, a.parts->e};
  if (has_s) u.s = group_ints(type.s, segment + l.s, l.groups, bytes.s, bytes.t);
  if (has_m) u.m = group_ints(type.m, segment + l.m, l.groups, bytes.m, bytes.t);
  if (!l.blocks) return u;  // the row's, unpacked before
  u.raw_d = segment + l.d, u.raw_e = segment + l.e;
  if (type.d != FloatFormat::f16) unpack_floats(type.d, u.raw_d, l.blocks, a.parts->d);
  if (type.e != FloatFormat::f16) unpack_floats(type.e, u.raw_e, l.blocks, a.parts->e);
  return u;
}

template <int kBits, int kTables, RowScales kScales, bool kGrid>
LOAM_INLINE void row_segment(const RowArgs& a, const SegmentLayout& l, const std::byte* segment, int64_t k0,
                             RowSums& r) {
  const MatrixPlan& p = *a.plan;
  const TypeInfo& type = p.type;
  constexpr bool kBy16 = kScales == RowScales::by_16, grid = kGrid;
  GroupBytes bytes;
  const RowUnits u = row_units(a, l, segment, bytes);
  constexpr bool kLevels = kTables > 0 || kBits > kLargestCodeBits;
  const int32_t zero = kLevels ? kPanelBias : type.zero;
  const Line first =
      kTables > 0 ? table_line(a.recipe->codes.tables[0]) ^ splat_byte(kPanelBias) : splat_byte(type.zero);
  const uint8_t* wide = reinterpret_cast<const uint8_t*>(segment);
  const uint8_t* narrow = wide + l.codes_narrow;
  const int8_t* x = a.x + k0;
  const int32_t* starts = a.starts + k0 / 16;
  const uint8_t* ahead = wide + kPrefetchBytes;
  const int64_t ahead_step = p.full.bytes / 8, n = l.n, fold = p.fold, step = p.step;
  for (int64_t k = 0; k < n; k += 32, ahead += ahead_step) {
    UNROLL
    for (int i = 0; i <= kBits; ++i) prefetch(ahead + i * 64);
    const int32_t low = sum_of_codes(starts + (k >> 4)), high = sum_of_codes(starts + (k >> 4) + 1);
    I32x16 acc[2];
    acc[0] = splat(int32_t(-zero * (kBy16 ? low : low + high)));
    acc[1] = splat(int32_t(kBy16 ? -zero * high : 0));
    if constexpr (kTables == kShiftedTable) {
      const int32_t shift = a.recipe->codes.shift, sum = kBy16 ? low : low + high;
      acc[0] = acc[0] + (load_signed_bytes(u.t + (k >> p.group_shift) * 16) & splat(int32_t(shift * sum)));
      if constexpr (kBy16)
        acc[1] = acc[1] + (load_signed_bytes(u.t + ((k + 16) >> p.group_shift) * 16) & splat(int32_t(shift * high)));
    }
    dots_of_32<kBits, kTables>(wide, narrow, uint32_t(k), x + k, first, acc);
    const int64_t end = k + 32, group = k >> p.group_shift;
    const bool last = end == n;
    if (kBy16 && !grid) {
      r.fold = u.add_step(k, acc[0], low, r.fold);
      r.fold = u.add_step(k + 16, acc[1], high, r.fold);
    } else if (!grid) {
      r.step = r.step + (acc[0] + acc[1]);
    } else if (kBy16) {
      r.step = r.step + grid_group<kScales>(u, group, low, acc[0]);
      r.step = r.step + grid_group<kScales>(u, (k + 16) >> p.group_shift, high, acc[1]);
    } else {
      r.step = r.step + grid_group<kScales>(u, group, low + high, acc[0] + acc[1]);
    }
    if (!(kBy16 && !grid) && ((end & (step - 1)) == 0 || last)) {
      r.fold = u.add_step(k, r.step, r.step_codes + low + high, r.fold);
      r.step = splat(int32_t(0));
      r.step_codes = 0;
    } else {
      r.step_codes += low + high;
    }
    if ((end & (fold - 1)) != 0 && !last) continue;
    r.sum = fma(r.fold, splat(a.scales[(k0 + k) >> p.scale_shift]), r.sum);
    r.fold = splat(-0.f);
  }
}

template <int kBits, int kTables, RowScales kScales, bool kGrid>
void multiply_row(const RowArgs& a) {
  const MatrixPlan& p = *a.plan;
  if (p.type.block == 0 && p.has_e) {
    unpack_floats(p.type.d, a.record + p.row_d, 1, a.parts->d);
    unpack_floats(p.type.e, a.record + p.row_e, 1, a.parts->e);
  }
  RowSums r{zero(), splat(-0.f), splat(int32_t(0)), 0};
  for (int64_t k = 0; k < p.padded; k += LOAM_SEGMENT_K) {
    const int64_t i = k / LOAM_SEGMENT_K;
    row_segment<kBits, kTables, kScales, kGrid>(a, uint32_t(i) < p.full_count ? p.full : p.last,
                                                a.record + uint64_t(i) * p.full.bytes, k, r);
  }
  store(a.state->sum, r.sum);
}

constexpr Shape row_shape(Shape s) { return {s.bits, s.tables, Arithmetic::code, s.scales, s.grid}; }
// Null where there is none: a fold of 16, m of 16 k without s, two unlike tables, or a shape of no built-in type.
template <int kIndex = kFirstShape>
RowKernel pick_row_kernel(const MatrixPlan& p, const Recipe& r) {
  if constexpr (kUnpacksInRegisters && kIndex < kBuiltInCount) {
    constexpr Shape s = row_shape(shape_of(kBuiltInTypes[kIndex]));
    if (p.fold < 32 || (p.group_step < 32 && !r.needs_s) || r.tables == kTwoTables) return nullptr;
    if (row_shape(r.codes.shape) == s) return multiply_row<s.bits, s.tables, s.scales, s.grid>;
    return pick_row_kernel<next_shape(kIndex)>(p, r);
  }
  (void)p, (void)r;
  return nullptr;
}

}  // namespace
}  // namespace loam::cpu::ISA
