// A few tokens times one row block, straight down the record: a line of codes is taken apart in registers and serves
// all tokens, which is cheaper than a panel until there are many.
#pragma once
#include "backends/cpu/kernels/linear_row.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kFewRows = 16, kMostFew = 8;     // up to here no panel; in one kernel
static_assert(kFewRows <= 2 * kMostFew);           // run_few makes two groups at most
constexpr bool kHasFewKernels = kTileBlocks == 2;  // registers for three vectors per token

struct FewArgs {
  const MatrixPlan* plan;
  const Recipe* recipe;
  const std::byte* record;
  const int8_t* x;  // of the first token, as all below
  const float* scales;
  const int32_t* starts;
  const float* sums;
  int64_t x_stride, scales_stride, sums_stride;
  ThreadScratch* scratch;
  TokenState* states;
  int slot;
};
using FewKernel = void (*)(const FewArgs&);
struct FewSet {
  FewKernel kernels[kMostFew - 1];  // of 2 .. kMostFew tokens
};

// What is subtracted from the codes of each group, so that levels + kPanelBias remain.
LOAM_INLINE void subtracted_lines(const TypeInfo& type, const Recipe& r, const RowUnits& u, uint32_t groups,
                                  SegmentScratch& parts) {
  const Line zero = splat_byte(-type.zero), bias = splat_byte(kPanelBias), shift = splat_byte(-r.codes.shift);
  for (uint32_t g = 0; g < groups; ++g) {
    store_line(parts.lines + g * 64, r.tables() == kShiftedTable ? as_line(load_signed_bytes(u.t + g * 16)) & shift
                                                                 : (repeat_low_byte(u.m[g]) - zero) ^ bias);
  }
}

// Where the values of up to 8 tokens lie: two pointers that the compiler cannot see through and one stride address them
// all, where it would keep a pointer for each token and each word, more than there are registers.
template <class V>
struct TokenValues {
  const V *first, *fifth;
  int64_t stride;

  LOAM_INLINE TokenValues(const V* p, int64_t between) : first(p), fifth(p + 4 * between), stride(between) {}
  LOAM_INLINE const V* of(int token) const { return (token < 4 ? first : fifth) + token % 4 * stride; }
  LOAM_INLINE void advance(int64_t n) {
    first += n, fifth += n;
    asm("" : "+r"(first), "+r"(fifth), "+r"(stride));
  }
};

// What a segment of a record holds for all tokens.
struct FewSegment {
  const MatrixPlan& p;
  RowUnits u;
  const uint8_t *wide, *narrow, *lines;
  int line_shift;
  bool has_s, has_m;  // integers that belong to the floats
};

// kOneStep: every fold is one step of 32 k.
template <int T, int kBits, bool kTable, bool kLevels, bool kOneStep>
struct FewSums {
  F32x16 t[T];  // of a fold
  I32x16 acc[T];

  LOAM_INLINE FewSums() {
    UNROLL
    for (int i = 0; i < T; ++i) t[i] = splat(-0.f), acc[i] = splat(int32_t(0));
  }

  // 16 k, the low or high half of 32.
  template <int kHalf>
  LOAM_INLINE void dots(const FewSegment& r, Line table, int64_t k, const TokenValues<int8_t>& x,
                        const TokenValues<int32_t>& starts) {
    UNROLL
    for (int i = 0; i < T; ++i) {
      const I32x16 start = splat(starts.of(i)[kHalf]);
      acc[i] = kOneStep && kHalf == 0 ? start : acc[i] + start;
    }
    Line line;
    if constexpr (kLevels) line = load_line(r.lines + ((k + 16 * kHalf) >> r.line_shift) * 64);
    UNROLL
    for (int j = 4 * kHalf; j < 4 * kHalf + 4; ++j) {
      Line w = code_line(kBits, r.wide, r.narrow, uint32_t(k), j);
      if constexpr (kTable) w = lookup(table, w);
      if constexpr (kLevels) w = w - line;
      UNROLL
      for (int i = 0; i < T; ++i) acc[i] = dot_word<false>(acc[i], w, x.of(i) + 4 * j);
    }
  }
  // Ends a step of kCount (0: count) k, which starts at k; sums: of its codes.
  template <int kCount>
  LOAM_INLINE void end_step(const FewSegment& r, int64_t k, int64_t count, const TokenValues<float>& sums, int64_t at) {
    const F32x16 scale = step_scale(r.p, r.u, k, r.has_s);
    UNROLL
    for (int i = 0; i < T; ++i) {
      t[i] = kOneStep ? to_float(acc[i]) * scale : fma(to_float(acc[i]), scale, t[i]);
      if (!kOneStep) acc[i] = splat(int32_t(0));
    }
    if (!r.p.has_e) return;
    const F32x16 offset = -step_offset(r.p, r.u, k, r.has_m);
    UNROLL
    for (int i = 0; i < T; ++i) t[i] = fma(sum_of(sums.of(i) + at, kCount ? kCount : count), offset, t[i]);
  }
  LOAM_INLINE void end_fold(const float* scales, int64_t stride, F32x16 (&sum)[T]) {
    UNROLL
    for (int i = 0; i < T; ++i) {
      sum[i] = fma(t[i], splat(scales[i * stride]), sum[i]);
      if (!kOneStep) t[i] = splat(-0.f);
    }
  }
};

// The n k of a segment, which starts at k0.
template <int T, int kBits, bool kTable, bool kLevels, bool kOneStep>
LOAM_INLINE void few_segment(const FewArgs& a, const FewSegment& r, Line table, int64_t k0, int64_t n,
                             F32x16 (&sum)[T]) {
  FewSums<T, kBits, kTable, kLevels, kOneStep> s;
  const int64_t fold = kOneStep ? 32 : a.plan->fold, step = kOneStep ? 32 : a.plan->step;
  const int64_t scale_shift = a.plan->scale_shift;
  TokenValues<int8_t> x(a.x + k0, a.x_stride);
  TokenValues<int32_t> starts(a.starts ? a.starts + k0 / 16 : kNoStarts, a.starts ? a.sums_stride : 0);
  TokenValues<float> sums(a.sums + k0 / 16, a.sums_stride);
  const uint8_t* ahead = r.wide;
  for (int64_t k = 0; k < n; k += 32, ahead += r.p.full.bytes / 8, x.advance(32), starts.advance(2), sums.advance(2)) {
    prefetch_record(ahead, kBits, true);
    s.template dots<0>(r, table, k, x, starts);
    if (step == 16) s.template end_step<16>(r, k, 16, sums, 0);
    s.template dots<1>(r, table, k, x, starts);
    const int64_t end = k + 32, begin = k & ~(step - 1);
    if (step == 16) {
      s.template end_step<16>(r, k + 16, 16, sums, 1);
    } else if (step == 32) {
      s.template end_step<32>(r, k, 32, sums, 0);
    } else if ((end & (step - 1)) == 0 || end == n) {
      s.template end_step<0>(r, begin, end - begin, sums, (begin - k) / 16);
    }
    if ((end & (fold - 1)) == 0 || end == n) s.end_fold(a.scales + ((k0 + k) >> scale_shift), a.scales_stride, sum);
  }
}

template <int T, int kBits, bool kTable, bool kLevels, bool kOneStep>
void multiply_few(const FewArgs& args) {
  const FewArgs a = args;
  const MatrixPlan& p = *a.plan;
  SegmentScratch& parts = a.scratch->parts;
  if (p.type.block == 0 && p.has_e) unpack_row_floats(p, a.record, parts.d, parts.e);
  const bool by_group = a.recipe->codes.has_m || a.recipe->tables() == kShiftedTable;
  const Line table = kTable ? table_line(a.recipe->codes.tables[0]) ^ splat_byte(kPanelBias) : splat_byte(0);
  if (!by_group) store_line(parts.lines, splat_byte(p.type.zero) ^ splat_byte(kPanelBias));
  const bool scaled = p.type.family == Family::scaled;
  F32x16 sum[T];
  UNROLL
  for (int i = 0; i < T; ++i) sum[i] = zero();
  for (int64_t k0 = 0; k0 < p.padded; k0 += LOAM_SEGMENT_K) {
    const int64_t index = k0 / LOAM_SEGMENT_K;
    const SegmentLayout& l = uint32_t(index) < p.full_count ? p.full : p.last;
    const std::byte* segment = a.record + uint64_t(index) * p.full.bytes;
    GroupBytes bytes;
    const RowUnits u = row_units(p.type, l, segment, parts, bytes);
    if (by_group) subtracted_lines(p.type, *a.recipe, u, l.groups, parts);
    const uint8_t* wide = reinterpret_cast<const uint8_t*>(segment);
    const FewSegment r{p,
                       u,
                       wide,
                       wide + l.codes_narrow,
                       parts.lines,
                       by_group ? p.group_shift : 31,
                       scaled && a.recipe->needs_s,
                       scaled && a.recipe->needs_m};
    few_segment<T, kBits, kTable, kLevels, kOneStep>(a, r, table, k0, l.n, sum);
  }
  UNROLL
  for (int i = 0; i < T; ++i) store(a.states[i].block[a.slot].sum, sum[i]);
}

template <int kBits, bool kTable, bool kLevels, bool kOneStep>
constexpr FewSet kFewKernels = {
    {multiply_few<2, kBits, kTable, kLevels, kOneStep>, multiply_few<3, kBits, kTable, kLevels, kOneStep>,
     multiply_few<4, kBits, kTable, kLevels, kOneStep>, multiply_few<5, kBits, kTable, kLevels, kOneStep>,
     multiply_few<6, kBits, kTable, kLevels, kOneStep>, multiply_few<7, kBits, kTable, kLevels, kOneStep>,
     multiply_few<8, kBits, kTable, kLevels, kOneStep>}};
template <int kBits, bool kTable, bool kLevels>
const FewSet* few_set(const MatrixPlan& p) {
  const bool one = p.step == 32 && p.fold == 32;
  return one ? &kFewKernels<kBits, kTable, kLevels, true> : &kFewKernels<kBits, kTable, kLevels, false>;
}

// Types of 16 k per group have no folds of one step. Null where there is none: a fold of 16, a grid type's s, tables of
// other than 4 bits, and what no type has.
template <bool kUsed>
const FewSet* pick_few_set(const MatrixPlan& p, const Recipe& r) {
  if constexpr (kUsed) {
    if (p.fold < 32 || (p.type.family == Family::grid && r.needs_s) || r.tables() == kTwoTables) return nullptr;
    const bool shifted = r.tables() == kShiftedTable, levels = r.is_signed;
    if (r.tables() != kNoTable && (p.type.bits != 4 || (r.codes.has_m && !shifted))) return nullptr;
    if (r.tables() != kNoTable) return shifted ? few_set<4, true, true>(p) : few_set<4, true, false>(p);
    switch (p.type.bits) {
      case 2: return levels ? few_set<2, false, true>(p) : &kFewKernels<2, false, false, false>;
      case 3: return levels ? &kFewKernels<3, false, true, false> : nullptr;
      case 4: return levels ? few_set<4, false, true>(p) : few_set<4, false, false>(p);
      case 5: return levels ? few_set<5, false, true>(p) : few_set<5, false, false>(p);
      case 6: return levels ? &kFewKernels<6, false, true, false> : nullptr;
      case 8: return levels ? nullptr : few_set<8, false, false>(p);
      default: return nullptr;
    }
  }
  (void)p, (void)r;
  return nullptr;
}

}  // namespace
}  // namespace loam::cpu::ISA
