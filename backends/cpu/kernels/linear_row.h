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

// Of 16 or 32 activations: what `starts` holds of them, back to the sum of their codes.
LOAM_INLINE int32_t sum_of_codes(int32_t starts) {
  static_assert(kPanelBias == 0 || kPanelBias == 128);
  return kPanelBias ? -(starts >> 7) : starts;
}

// What the steps of a segment are multiplied by.
struct RowUnits {
  GroupInts s, m;
  const uint8_t* t;
  const uint16_t *half_d, *half_e;  // in the record; null: unpacked
  const float *d, *e;
};

// D * s and E * m of the unit that k lies in; has_s, has_m: of types whose integers belong to the floats.
LOAM_INLINE F32x16 step_scale(const MatrixPlan& p, const RowUnits& u, int64_t k, bool has_s) {
  const int64_t group = k >> p.group_shift, block = k >> p.block_shift << 4;
  if (p.d_at_end) return has_s ? to_float(u.s[group]) : splat(1.f);
  const F32x16 d = u.half_d ? load_f16(u.half_d + block) : load(u.d + block);
  return has_s ? d * to_float(u.s[group]) : d;
}
LOAM_INLINE F32x16 step_offset(const MatrixPlan& p, const RowUnits& u, int64_t k, bool has_m) {
  const int64_t block = k >> p.block_shift << 4;
  const F32x16 e = u.half_e ? load_f16(u.half_e + block) : load(u.e + block);
  return has_m ? e * to_float(u.m[k >> p.group_shift]) : e;
}

// fold + D * s * step - E * m * sum, of a step that has k.
template <bool kScaled, bool kHasS>
LOAM_INLINE F32x16 add_step(const MatrixPlan& p, const RowUnits& u, int64_t k, I32x16 step, int32_t starts,
                            F32x16 fold) {
  fold = fma(to_float(step), step_scale(p, u, k, kScaled && kHasS), fold);
  if (!p.has_e) return fold;
  const F32x16 offset = step_offset(p, u, k, kScaled && p.type.m != IntFormat::none);
  return fma(splat(float(sum_of_codes(starts))), -offset, fold);
}

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

// Once per segment, for all shapes.
[[gnu::noinline, maybe_unused]] RowUnits row_units(const TypeInfo& type, const SegmentLayout& l,
                                                   const std::byte* segment, SegmentScratch& parts, GroupBytes& bytes) {
  RowUnits u{{}, {}, bytes.t, nullptr, nullptr, parts.d, parts.e};
  if (type.s != IntFormat::none) u.s = group_ints(type.s, segment + l.s, l.groups, bytes.s, bytes.t);
  if (type.m != IntFormat::none) u.m = group_ints(type.m, segment + l.m, l.groups, bytes.m, bytes.t);
  if (!l.blocks) return u;  // the row's, unpacked before
  if (type.d == FloatFormat::f16) u.half_d = reinterpret_cast<const uint16_t*>(segment + l.d);
  if (type.e == FloatFormat::f16) u.half_e = reinterpret_cast<const uint16_t*>(segment + l.e);
  if (!u.half_d) unpack_floats(type.d, segment + l.d, l.blocks, parts.d);
  if (!u.half_e) unpack_floats(type.e, segment + l.e, l.blocks, parts.e);
  return u;
}

// What the kernels of one shape do with 32 k.
template <int kBits, int kTables, RowScales kScales, bool kGrid>
struct RowShape {
  static constexpr bool kHasS = kScales != RowScales::none, kBy16 = kScales == RowScales::by_16;
  static constexpr bool kLevels = kTables > 0 || kBits > kLargestCodeBits;

  const MatrixPlan& p;
  const RowUnits& u;
  const uint8_t *wide, *narrow;
  Line first;
  int32_t zero, shift;

  // What the dots of 16 or 32 k start from.
  LOAM_INLINE I32x16 start(int64_t k, int32_t starts) const {
    const int32_t all = !kPanelBias ? -zero * starts : kLevels ? starts : zero * starts >> 7;
    if constexpr (kTables != kShiftedTable) return splat(all);
    const I32x16 t = load_signed_bytes(u.t + (k >> p.group_shift) * 16);
    return splat(all) + (t & splat(int32_t(shift * sum_of_codes(starts))));
  }
  // One group of a grid type: s * dot - m * sum.
  LOAM_INLINE I32x16 grid_group(int64_t k, int32_t starts, I32x16 dot) const {
    const int64_t group = k >> p.group_shift;
    if constexpr (kHasS) dot = dot * u.s[group];
    return p.type.m != IntFormat::none ? dot - u.m[group] * splat(sum_of_codes(starts)) : dot;
  }
  // Of types with a float per 16 k into the fold, of others into the step.
  LOAM_INLINE void add(int64_t k, const int8_t* x, const int32_t* starts, I32x16& step, F32x16& fold) const {
    const int32_t low = starts[0], high = starts[1], both = low + high;
    I32x16 acc[2] = {start(k, kBy16 ? low : both), kBy16 ? start(k + 16, high) : splat(int32_t(0))};
    dots_of_32<kBits, kTables>(wide, narrow, uint32_t(k), x, first, acc);
    if constexpr (kBy16 && !kGrid) {
      fold = add_step<true, true>(p, u, k, acc[0], low, fold);
      fold = add_step<true, true>(p, u, k + 16, acc[1], high, fold);
    } else if constexpr (kBy16) {
      step = step + (grid_group(k, low, acc[0]) + grid_group(k + 16, high, acc[1]));
    } else {
      step = step + (kGrid ? grid_group(k, both, acc[0] + acc[1]) : acc[0] + acc[1]);
    }
  }
};

// Behind the 32 k from k on; the last ones end every step and fold.
LOAM_INLINE int64_t end_of(int64_t k, int64_t n) { return k + 32 < n ? k + 32 : LOAM_SEGMENT_K; }

template <int kBits, int kTables, RowScales kScales, bool kGrid>
LOAM_INLINE F32x16 row_segment(const RowArgs& a, const SegmentLayout& l, const std::byte* segment, int64_t k0,
                               F32x16 sum) {
  using Row = RowShape<kBits, kTables, kScales, kGrid>;
  constexpr bool kSteps = !Row::kBy16 || kGrid;  // that add_step ends
  const MatrixPlan& p = *a.plan;
  GroupBytes bytes;
  const RowUnits u = row_units(p.type, l, segment, *a.parts, bytes);
  const uint8_t* wide = reinterpret_cast<const uint8_t*>(segment);
  const Line table = table_line(a.recipe->codes.tables[0]) ^ splat_byte(kPanelBias), zero = splat_byte(p.type.zero);
  const int32_t subtracted = Row::kLevels ? kPanelBias : p.type.zero;
  const Row row{p, u, wide, wide + l.codes_narrow, kTables > 0 ? table : zero, subtracted, a.recipe->codes.shift};
  const uint8_t* ahead = wide;
  const int64_t ahead_step = p.full.bytes / 8, n = l.n;
  F32x16 fold = splat(-0.f);
  I32x16 step = splat(int32_t(0));
  int32_t codes = 0;
  for (int64_t k = 0; k < n; k += 32, ahead += ahead_step) {
    prefetch_record(ahead, kBits, true);
    const int32_t* starts = a.starts + ((k0 + k) >> 4);
    row.add(k, a.x + k0 + k, starts, step, fold);
    const int64_t end = end_of(k, n);
    codes += starts[0] + starts[1];
    if (kSteps) {
      if (end & (p.step - 1)) continue;
      fold = add_step<!kGrid, Row::kHasS>(p, u, k, step, codes, fold);
      step = splat(int32_t(0)), codes = 0;
    }
    if (end & (p.fold - 1)) continue;
    sum = fma(fold, splat(a.scales[(k0 + k) >> p.scale_shift]), sum);
    fold = splat(-0.f);
  }
  return sum;
}

template <int kBits, int kTables, RowScales kScales, bool kGrid>
void multiply_row(const RowArgs& a) {
  const MatrixPlan& p = *a.plan;
  if (p.type.block == 0 && p.has_e) unpack_row_floats(p, a.record, a.parts->d, a.parts->e);
  F32x16 sum = zero();
  for (int64_t k = 0; k < p.padded; k += LOAM_SEGMENT_K) {
    const int64_t i = k / LOAM_SEGMENT_K;
    sum = row_segment<kBits, kTables, kScales, kGrid>(a, uint32_t(i) < p.full_count ? p.full : p.last,
                                                      a.record + uint64_t(i) * p.full.bytes, k, sum);
  }
  store(a.state->sum, sum);
}

constexpr Shape row_shape(Shape s) { return {s.bits, s.tables, Arithmetic::code, s.scales, s.grid}; }
// Null where there is none: a fold of 16, m of 16 k without s, two unlike tables, or a shape of no built-in type.
template <int kIndex = kFirstShape>
RowKernel pick_row_kernel(const MatrixPlan& p, const Recipe& r) {
  if constexpr (kUnpacksInRegisters && kIndex < kBuiltInCount) {
    constexpr Shape s = row_shape(shape_of(kBuiltInTypes[kIndex]));
    if (p.fold < 32 || (p.group_step < 32 && !r.needs_s) || r.tables() == kTwoTables) return nullptr;
    if (row_shape(r.codes.shape) == s) return multiply_row<s.bits, s.tables, s.scales, s.grid>;
    return pick_row_kernel<next_shape(kIndex)>(p, r);
  }
  (void)p, (void)r;
  return nullptr;
}

}  // namespace
}  // namespace loam::cpu::ISA
