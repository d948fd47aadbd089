// A few tokens times one row block, straight down the record: a line of codes is taken apart in registers and serves
// all tokens, which is cheaper than a panel until there are many.
#pragma once
#include "backends/cpu/kernels/linear_row.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kFewRows = 8;                    // up to here no panel
constexpr bool kHasFewKernels = kTileBlocks == 2;  // registers for three vectors per token
constexpr float kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

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
  FewKernel kernels[4];  // of kFewSizes
};
constexpr int kFewSizes[4] = {2, 4, 6, 8};
LOAM_INLINE int few_index(int64_t tokens) { return int(tokens > 6 ? 3 : (tokens - 1) / 2); }

// What is subtracted from the codes of each group, so that levels + kPanelBias remain.
LOAM_INLINE void subtracted_lines(const TypeInfo& type, const Recipe& r, uint32_t groups, SegmentScratch& parts) {
  const Line zero = splat_byte(-type.zero), bias = splat_byte(kPanelBias), shift = splat_byte(-r.codes.shift);
  for (uint32_t g = 0; g < groups; ++g) {
    store_line(parts.lines + g * 64, r.tables() == kShiftedTable
                                         ? as_line(load(parts.t + g * 16)) & shift
                                         : (repeat_low_byte(load(parts.m + g * 16)) - zero) ^ bias);
  }
}

// Floats, integers and lines of a segment.
void unpack_few(const FewArgs& a, const SegmentLayout& l, const std::byte* segment, const RowFloats* row) {
  const MatrixPlan& p = *a.plan;
  const Recipe& r = *a.recipe;
  SegmentScratch& parts = a.scratch->parts;
  Panel& panel = a.scratch->segment;
  if (r.needs_s) unpack_ints(p.type.s, segment + l.s, l.groups, parts.s, parts.t);
  if (r.needs_m) unpack_ints(p.type.m, segment + l.m, l.groups, parts.m, parts.t + 16 * 16);
  unpack_units(p, r, l, segment, parts, row ? row->d : nullptr, row ? row->e : nullptr, panel.scales, panel.offsets);
  if (r.codes.has_m || r.tables() == kShiftedTable) subtracted_lines(p.type, r, l.groups, parts);
}

template <int T, int kBits, bool kTable, bool kLevels>
void multiply_few(const FewArgs& args) {
  const FewArgs a = args;
  const MatrixPlan& p = *a.plan;
  const bool has_row = p.type.block == 0 && p.has_e, has_e = p.has_e;
  RowFloats row;
  if (has_row) unpack_row_floats(p, a.record, row);
  const bool by_group = a.recipe->codes.has_m || a.recipe->tables() == kShiftedTable;
  const Line first = kTable ? table_line(a.recipe->codes.tables[0]) ^ splat_byte(kPanelBias) : splat_byte(0);
  if (!by_group) store_line(a.scratch->parts.lines, splat_byte(p.type.zero) ^ splat_byte(kPanelBias));
  const bool has_units = !p.d_at_end || (p.type.family == Family::scaled && a.recipe->needs_s);
  const float* unit_scales = has_units ? a.scratch->segment.scales : kOnes;
  const int unit_shift = has_units ? p.unit_shift : 31, line_shift = by_group ? p.group_shift : 31;
  const int64_t fold = p.fold, step = p.step;
  F32x16 sum[T], t[T];
  I32x16 acc[T];
  UNROLL
  for (int i = 0; i < T; ++i) sum[i] = zero(), t[i] = splat(-0.f), acc[i] = splat(int32_t(0));
  for (int64_t k0 = 0; k0 < p.padded; k0 += LOAM_SEGMENT_K) {
    const int64_t index = k0 / LOAM_SEGMENT_K;
    const SegmentLayout& l = uint32_t(index) < p.full_count ? p.full : p.last;
    const std::byte* segment = a.record + uint64_t(index) * p.full.bytes;
    unpack_few(a, l, segment, has_row ? &row : nullptr);
    const uint8_t* wide = reinterpret_cast<const uint8_t*>(segment);
    const uint8_t* narrow = wide + l.codes_narrow;
    const uint8_t* ahead = wide;
    const int32_t* starts = a.starts ? a.starts + k0 / 16 : kNoStarts;
    const int64_t starts_stride = a.starts ? a.sums_stride : 0, n = l.n;
    const auto end_step = [&](int64_t k, int64_t count) __attribute__((always_inline)) {
      const int64_t unit = (k >> unit_shift) * 16;
      const F32x16 scale = load(unit_scales + unit);
      UNROLL
      for (int i = 0; i < T; ++i) t[i] = fma(to_float(acc[i]), scale, t[i]), acc[i] = splat(int32_t(0));
      if (!has_e) return;
      const F32x16 offset = load(a.scratch->segment.offsets + unit);
      UNROLL
      for (int i = 0; i < T; ++i) t[i] = fma(sum_of(a.sums + i * a.sums_stride + ((k0 + k) >> 4), count), offset, t[i]);
    };
    for (int64_t k = 0; k < n; k += 32, ahead += p.full.bytes / 8) {
      prefetch_record(ahead, kBits, true);
      UNROLL
      for (int half = 0; half < 2; ++half) {
        UNROLL
        for (int i = 0; i < T; ++i) acc[i] = acc[i] + splat(starts[i * starts_stride + (k >> 4) + half]);
        Line line;
        if constexpr (kLevels) line = load_line(a.scratch->parts.lines + ((k + 16 * half) >> line_shift) * 64);
        UNROLL
        for (int j = 4 * half; j < 4 * half + 4; ++j) {
          Line w = code_line(kBits, wide, narrow, uint32_t(k), j);
          if constexpr (kTable) w = lookup(first, w);
          if constexpr (kLevels) w = w - line;
          UNROLL
          for (int i = 0; i < T; ++i) acc[i] = dot_word<false>(acc[i], w, a.x + i * a.x_stride + k0 + k + 4 * j);
        }
        if (half == 0 && step == 16) end_step(k, 16);
      }
      const int64_t end = k + 32;
      if (step == 16) {
        end_step(k + 16, 16);
      } else if ((end & (step - 1)) == 0 || end == n) {
        end_step(k & ~(step - 1), end - (k & ~(step - 1)));
      }
      if ((end & (fold - 1)) != 0 && end != n) continue;
      UNROLL
      for (int i = 0; i < T; ++i) {
        sum[i] = fma(t[i], splat(a.scales[i * a.scales_stride + ((k0 + k) >> p.scale_shift)]), sum[i]);
        t[i] = splat(-0.f);
      }
    }
  }
  UNROLL
  for (int i = 0; i < T; ++i) store(a.states[i].block[a.slot].sum, sum[i]);
}

template <int kBits, bool kTable, bool kLevels>
constexpr FewSet kFewSet = {{multiply_few<2, kBits, kTable, kLevels>, multiply_few<4, kBits, kTable, kLevels>,
                             multiply_few<6, kBits, kTable, kLevels>, multiply_few<8, kBits, kTable, kLevels>}};

// Null where there is none: a fold of 16, a grid type's s, tables of other than 4 bits, and what no type has.
template <bool kUsed>
const FewSet* pick_few_set(const MatrixPlan& p, const Recipe& r) {
  if constexpr (kUsed) {
    if (p.fold < 32 || (p.type.family == Family::grid && r.needs_s) || r.tables() == kTwoTables) return nullptr;
    const bool shifted = r.tables() == kShiftedTable, levels = r.is_signed;
    if (r.tables() != kNoTable && (p.type.bits != 4 || (r.codes.has_m && !shifted))) return nullptr;
    if (r.tables() != kNoTable) return shifted ? &kFewSet<4, true, true> : &kFewSet<4, true, false>;
    switch (p.type.bits) {
      case 2: return levels ? &kFewSet<2, false, true> : &kFewSet<2, false, false>;
      case 3: return levels ? &kFewSet<3, false, true> : nullptr;
      case 4: return levels ? &kFewSet<4, false, true> : &kFewSet<4, false, false>;
      case 5: return levels ? &kFewSet<5, false, true> : &kFewSet<5, false, false>;
      case 6: return levels ? &kFewSet<6, false, true> : nullptr;
      case 8: return levels ? nullptr : &kFewSet<8, false, false>;
      default: return nullptr;
    }
  }
  (void)p, (void)r;
  return nullptr;
}

}  // namespace
}  // namespace loam::cpu::ISA
