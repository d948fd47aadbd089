// The inner loops: a few tokens times one or two panels of 16 rows, integers inside a fold, then one fma.
#pragma once
#include "backends/cpu/kernels/linear_plan.h"
#include "backends/cpu/kernels/prefetch_far.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kMaxTokens = 6, kMaxBlocks = 2;
constexpr bool kFetchesAhead = kTileBlocks == 2;  // others lack the registers: 8 % more instructions

enum class Units : uint8_t { none, scales, offsets };  // floats of a panel: nothing, D * s, and also -E * m

// Everything a tile reads. Offsets in k count from the start of the panels.
struct TileArgs {
  const uint8_t* codes[kMaxBlocks];                            // [k / 4][row][4]
  const float *unit_scales[kMaxBlocks], *offsets[kMaxBlocks];  // [unit][row]
  const int32_t* panel_starts[kMaxBlocks];                     // [k / 16][row], running sums, of forms that want them
  const float* values[kMaxBlocks];                             // [k][row], of float tiles
  const int8_t* x;                                             // of the first token, as all below
  const float* scales;
  const int32_t* starts;
  const float* sums;
  int64_t x_stride, scales_stride, starts_stride, sums_stride;
  const float* floats[kMaxTokens];  // activations of float tiles
  BlockState* states[kMaxBlocks];
  const std::byte* ahead[kMaxBlocks];  // what the next unit will read
  int64_t n, ahead_lines;              // lines of it to fetch per fold
  int fold, step, unit_shift, scale_shift, zero;
  Units units;
  bool first;  // nothing is accumulated yet
};
using Tile = void (*)(const TileArgs&);
struct TileSet {
  Tile one, two, four, six;  // tokens; one: of one panel, the others of kTileBlocks
  int most;                  // tokens of the largest
};

constexpr int32_t kNoStarts[kPanelK / 16] = {};  // of panels from which nothing is subtracted

// Sums of 16 codes, added up over n k: a constant n is unrolled.
LOAM_INLINE F32x16 sum_of(const float* sums, int64_t n) {
  F32x16 sum = splat(sums[0]);
  for (int64_t i = 1; i < n / 16; ++i) sum = sum + splat(sums[i]);
  return sum;
}
LOAM_INLINE I32x16 start_of(const int32_t* starts, int64_t n, [[maybe_unused]] int zero) {
  if constexpr (kPanelBias != 0) {
    I32x16 sum = splat(starts[0]);
    for (int64_t i = 1; i < n / 16; ++i) sum = sum + splat(starts[i]);
    return sum;
  }
  int32_t sum = 0;
  for (int64_t i = 0; i < n / 16; ++i) sum += starts[i];
  return splat(int32_t(-zero * sum));
}

// The integers of n k; kStep: n where it is known. kOffsets: types with offsets, or a fold of several steps, whose zero
// add_step subtracts where kSubtractsFloats.
template <int T, int R, int kStep, bool kOffsets, int kForm>
LOAM_INLINE void dots(const TileArgs& a, int64_t k, int64_t n, I32x16 (&acc)[T][R]) {
  if constexpr (kStep != 0) n = kStep;
  UNROLL
  for (int t = 0; t < T; ++t) {
    const I32x16 start = kSubtractsFloats && kOffsets ? splat(int32_t(0))
                                                      : start_of(a.starts + t * a.starts_stride + (k >> 4), n, a.zero);
    UNROLL
    for (int r = 0; r < R; ++r) acc[t][r] = start;
  }
  if constexpr (dots_start<kForm>()) {
    UNROLL
    for (int r = 0; r < R; ++r) {
      const I32x16 start = load(a.panel_starts[r] + k + n) - load(a.panel_starts[r] + k);
      UNROLL
      for (int t = 0; t < T; ++t) acc[t][r] = start;
    }
  }
  dot_lines<kForm>(a.codes, a.x, a.x_stride, k, k + n, acc);
}

// t = sums of n codes * factor + t.
template <int T, int R>
LOAM_INLINE void add_sums(const TileArgs& a, int64_t k, int64_t n, const F32x16 (&factor)[R], F32x16 (&t)[T][R]) {
  UNROLL
  for (int i = 0; i < T; ++i) {
    const F32x16 sum = sum_of(a.sums + i * a.sums_stride + (k >> 4), n);
    UNROLL
    for (int r = 0; r < R; ++r) t[i][r] = fma(sum, factor[r], t[i][r]);
  }
}

// One step of n k: t = integers * scale (+ t where kAdds) + sums * offset.
template <int T, int R, int kStep, bool kAdds, bool kOffsets, int kForm>
LOAM_INLINE void add_step(const TileArgs& a, int64_t k, int64_t n, F32x16 (&t)[T][R]) {
  if constexpr (kStep != 0) n = kStep;
  I32x16 acc[T][R];
  dots<T, R, kStep, kOffsets, kForm>(a, k, n, acc);
  const int64_t unit = (k >> a.unit_shift) * 16;
  F32x16 x[T][R];
  UNROLL
  for (int i = 0; i < T * R; ++i) x[i / R][i % R] = to_float(acc[i / R][i % R]);
  if (kSubtractsFloats && kOffsets && !dots_start<kForm>() && a.zero) {  // exact: integers below 2^24
    F32x16 zero[R];
    UNROLL
    for (int r = 0; r < R; ++r) zero[r] = splat(float(-a.zero));
    add_sums(a, k, n, zero, x);
  }
  UNROLL
  for (int r = 0; r < R; ++r) {
    const F32x16 scale = kAdds || a.units != Units::none ? load(a.unit_scales[r] + unit) : splat(1.f);
    UNROLL
    for (int i = 0; i < T; ++i) {
      t[i][r] = kAdds ? fma(x[i][r], scale, t[i][r]) : a.units == Units::none ? x[i][r] : x[i][r] * scale;
    }
  }
  if (kOffsets && a.units == Units::offsets) {
    F32x16 offset[R];
    UNROLL
    for (int r = 0; r < R; ++r) offset[r] = load(a.offsets[r] + unit);
    add_sums(a, k, n, offset, t);
  }
}

// kStep 0: any number of k. kSteps: per fold, 0: several. kOffsets: there may be some.
template <int T, int R, int kStep, int kSteps, bool kOffsets, int kForm>
void integer_tile(const TileArgs& args) {
  const TileArgs a = args;  // the stores below could change what a reference refers to
  F32x16 sum[T][R];
  UNROLL
  for (int i = 0; i < T; ++i) {
    UNROLL
    for (int r = 0; r < R; ++r) sum[i][r] = a.first ? zero() : load(a.states[r][i * kStateBlocks].sum);
  }
  const int64_t fold = kStep && kSteps ? kStep * kSteps : a.fold;
  [[maybe_unused]] int64_t ahead = 0;
  for (int64_t k = 0; k < a.n; k += fold) {
    if constexpr (kFetchesAhead) {
      for (const int64_t end = ahead + a.ahead_lines * 64; ahead < end; ahead += 64) {
        UNROLL
        for (int r = 0; r < R; ++r) prefetch_far(a.ahead[r] + ahead);
      }
    }
    F32x16 t[T][R];
    if constexpr (kSteps == 1) {
      add_step<T, R, kStep, false, kOffsets, kForm>(a, k, fold < a.n - k ? fold : a.n - k, t);
    } else {
      UNROLL
      for (int i = 0; i < T * R; ++i) t[i / R][i % R] = splat(-0.f);
      const int64_t end = fold < a.n - k ? k + fold : a.n, step = kStep ? kStep : a.step;
      if constexpr (kSteps == 2) {  // not a loop: gcc 12 spills less
        add_step<T, R, kStep, true, kOffsets, kForm>(a, k, kStep, t);
        add_step<T, R, kStep, true, kOffsets, kForm>(a, k + kStep, kStep, t);
      }
      for (int64_t j = kSteps == 2 ? end : k; j < end; j += step) {
        add_step<T, R, kStep, true, kOffsets, kForm>(a, j, step < end - j ? step : end - j, t);
      }
    }
    UNROLL
    for (int i = 0; i < T; ++i) {
      const F32x16 scale = splat(a.scales[i * a.scales_stride + (k >> a.scale_shift)]);
      UNROLL
      for (int r = 0; r < R; ++r) sum[i][r] = fma(t[i][r], scale, sum[i][r]);
    }
  }
  UNROLL
  for (int i = 0; i < T; ++i) {
    UNROLL
    for (int r = 0; r < R; ++r) store(a.states[r][i * kStateBlocks].sum, sum[i][r]);
  }
}

// Floats: one chain of fma in ascending k.
template <int T, int R>
void float_tile(const TileArgs& a) {
  F32x16 sum[T][R];
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) sum[t][r] = a.first ? zero() : load(a.states[r][t * kStateBlocks].sum);
  }
  for (int64_t k = 0; k < a.n; ++k) {
    F32x16 w[R];
    UNROLL
    for (int r = 0; r < R; ++r) w[r] = load(a.values[r] + k * 16);
    UNROLL
    for (int t = 0; t < T; ++t) {
      const F32x16 x = splat(a.floats[t][k]);
      UNROLL
      for (int r = 0; r < R; ++r) sum[t][r] = fma(w[r], x, sum[t][r]);
    }
  }
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) store(a.states[r][t * kStateBlocks].sum, sum[t][r]);
  }
}

constexpr int at_most(int x, int most) { return x < most ? x : most; }

// Where registers are few, three accumulators per token (a fold has several steps) or levels leave room for four
// tokens.
constexpr bool kFewRegisters = kTileBlocks == 1;
template <int kStep, int kSteps, bool kOffsets, int kForm,
          int kMost = (kSteps != 1 && kFewRegisters) || dots_start<kForm>() ? at_most(4, kTileTokens) : kTileTokens>
constexpr TileSet kIntegerTiles = {
    integer_tile<1, 1, kStep, kSteps, kOffsets, kForm>,
    integer_tile<at_most(2, kMost), kTileBlocks, kStep, kSteps, kOffsets, kForm>,
    integer_tile<at_most(4, kMost), kTileBlocks, kStep, kSteps, kOffsets, kForm>,
    integer_tile<at_most(6, kMost), kTileBlocks, kStep, kSteps, kOffsets, kForm>,
    kMost,
};
constexpr TileSet kFloatTiles = {float_tile<1, 1>, float_tile<at_most(2, kTileTokens), kTileBlocks>,
                                 float_tile<at_most(4, kTileTokens), kTileBlocks>,
                                 float_tile<at_most(6, kTileTokens), kTileBlocks>, kTileTokens};

template <int kForm>
const TileSet* pick_steps(int step, int fold, bool offsets) {
  if constexpr (kFewRegisters) {
    if (step == 16 && fold == 32) return &kIntegerTiles<16, 2, true, kForm>;
  }
  const bool many = step < fold;
  if (many && step == 16) return &kIntegerTiles<16, 0, true, kForm>;
  if (many && step == 32) return &kIntegerTiles<32, 0, true, kForm>;
  if (many) return &kIntegerTiles<0, 0, true, kForm, at_most(2, kTileTokens)>;
  if (step != 32) return &kIntegerTiles<0, 1, true, kForm>;
  return offsets ? &kIntegerTiles<32, 1, true, kForm> : &kIntegerTiles<32, 1, false, kForm>;
}
template <int kForm = 0>
const TileSet* pick_tiles(int step, int fold, bool offsets, int form) {
  if constexpr (kForm + 1 < kDotForms) {
    if (form != kForm) return pick_tiles<kForm + 1>(step, fold, offsets, form);
  }
  (void)form;
  return pick_steps<kForm>(step, fold, offsets);
}

}  // namespace
}  // namespace loam::cpu::ISA
