// The inner loops: a few tokens times one or two panels of 16 rows, integers inside a fold, then one fma.
#pragma once
#include "backends/cpu/kernels/linear_plan.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kMaxTokens = 6, kMaxBlocks = 2;

// Everything a tile reads. Offsets in k count from the start of the panels.
struct TileArgs {
  const uint8_t* codes[kMaxBlocks];              // [k / 4][row][4]
  const int32_t *s[kMaxBlocks], *m[kMaxBlocks];  // [group][row]
  const int32_t* starts[kMaxBlocks];             // [k / 16][row], running sums, of forms that want them
  const float *d[kMaxBlocks], *e[kMaxBlocks];    // [block][row]
  const float* values[kMaxBlocks];               // [k][row], of float tiles
  const int8_t* x[kMaxTokens];
  const float* scales[kMaxTokens];
  const int32_t* sums[kMaxTokens];
  const float* floats[kMaxTokens];  // activations of float tiles
  BlockState* state[kMaxTokens][kMaxBlocks];
  int64_t n;
  int fold, step, group_shift, block_shift, scale_shift, zero;
  bool first;  // nothing is accumulated yet
};
using Tile = void (*)(const TileArgs&);
struct TileSet {
  Tile one, two, four, six;  // tokens; one: of one panel, the others of kTileBlocks
  int most;                  // tokens of the largest
};

enum class Scales : uint8_t { none, per_fold, per_step };  // integer s after the dots
enum class Minimum : uint8_t { none, plain, scaled };      // E times the sum of activations, or of m times them

template <int T, int R, int kForm>
LOAM_INLINE void dots(const TileArgs& a, int64_t k, int64_t n, I32x16 (&acc)[T][R]) {
  UNROLL
  for (int t = 0; t < T; ++t) {
    const int32_t* sums = a.sums[t] + k / 16;
    const I32x16 start = splat(int32_t(uint32_t(a.zero) * (uint32_t(sums[0]) - uint32_t(sums[n / 16]))));
    UNROLL
    for (int r = 0; r < R; ++r) acc[t][r] = start;
  }
  if constexpr (dots_start<kForm>()) {
    UNROLL
    for (int r = 0; r < R; ++r) {
      const I32x16 start = load(a.starts[r] + k + n) - load(a.starts[r] + k);
      UNROLL
      for (int t = 0; t < T; ++t) acc[t][r] = acc[t][r] + start;
    }
  }
  dot_lines<kForm>(a.codes, a.x, k, k + n, acc);
}

// The integers of one fold.
template <int T, int R, Scales kScales, int kForm>
LOAM_INLINE void fold_integers(const TileArgs& a, int64_t k, int64_t n, I32x16 (&total)[T][R]) {
  if constexpr (kScales != Scales::per_step) {
    dots<T, R, kForm>(a, k, n, total);
    if constexpr (kScales == Scales::per_fold) {
      UNROLL
      for (int r = 0; r < R; ++r) {
        const I32x16 s = load(a.s[r] + (k >> a.group_shift) * 16);
        UNROLL
        for (int t = 0; t < T; ++t) total[t][r] = total[t][r] * s;
      }
    }
    return;
  }
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) total[t][r] = splat(int32_t(0));
  }
  for (int64_t i = k; i < k + n; i += a.step) {
    I32x16 acc[T][R];
    dots<T, R, kForm>(a, i, a.step < k + n - i ? a.step : k + n - i, acc);
    UNROLL
    for (int r = 0; r < R; ++r) {
      const I32x16 s = load(a.s[r] + (i >> a.group_shift) * 16);
      UNROLL
      for (int t = 0; t < T; ++t) total[t][r] = total[t][r] + acc[t][r] * s;
    }
  }
}

// sum_e += float(sum of m * activations) * (E * scale) of one fold; in the tile's state where registers are short.
template <int T, int R, Minimum kMinimum, bool kInRegisters>
LOAM_INLINE void fold_minimum(const TileArgs& a, int64_t k, int64_t n, F32x16 (&sum_e)[T][R]) {
  UNROLL
  for (int r = 0; r < R; ++r) {
    const F32x16 e = load(a.e[r] + (k >> a.block_shift) * 16);
    [[maybe_unused]] const F32x16 m =
        kMinimum == Minimum::scaled ? to_float(load(a.m[r] + (k >> a.group_shift) * 16)) : zero();
    UNROLL
    for (int t = 0; t < T; ++t) {
      const int32_t* sums = a.sums[t] + k / 16;
      F32x16 sum;
      if (kMinimum == Minimum::plain || n <= a.step) {  // one group: the float product is exact
        sum = splat(float(int32_t(uint32_t(sums[n / 16]) - uint32_t(sums[0]))));
        if constexpr (kMinimum == Minimum::scaled) sum = m * sum;
      } else {
        I32x16 total = splat(int32_t(0));
        for (int64_t i = 0; i < n; i += a.step) {
          const int64_t end = i + a.step < n ? i + a.step : n;
          const I32x16 x = splat(int32_t(uint32_t(sums[end / 16]) - uint32_t(sums[i / 16])));
          total = total + load(a.m[r] + ((k + i) >> a.group_shift) * 16) * x;
        }
        sum = to_float(total);
      }
      const F32x16 scale = e * splat(a.scales[t][k >> a.scale_shift]);
      if constexpr (kInRegisters) {
        sum_e[t][r] = fma(sum, scale, sum_e[t][r]);
      } else {
        float* state = a.state[t][r]->e;
        store(state, fma(sum, scale, load(state)));
      }
    }
  }
}

template <int T, int R, Scales kScales, Minimum kMinimum, bool kBlocks, int kForm>
void integer_tile(const TileArgs& a) {
  constexpr bool kHasE = kMinimum != Minimum::none;
  constexpr bool kInRegisters = kScales != Scales::per_step;  // else integer totals have sum_e's place
  F32x16 sum[T][R], sum_e[T][R];
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) {
      BlockState* state = a.state[t][r];
      if (a.first) store(state->sum, zero());
      if (a.first && kHasE) store(state->e, zero());
      sum[t][r] = load(state->sum);
      if constexpr (kHasE && kInRegisters) sum_e[t][r] = load(state->e);
    }
  }
  for (int64_t k = 0; k < a.n; k += a.fold) {
    const int64_t n = a.fold < a.n - k ? a.fold : a.n - k;
    I32x16 total[T][R];
    fold_integers<T, R, kScales, kForm>(a, k, n, total);
    UNROLL
    for (int r = 0; r < R; ++r) {
      F32x16 d;
      if constexpr (kBlocks) d = load(a.d[r] + (k >> a.block_shift) * 16);
      UNROLL
      for (int t = 0; t < T; ++t) {
        F32x16 scale = splat(a.scales[t][k >> a.scale_shift]);
        if constexpr (kBlocks) scale = d * scale;
        sum[t][r] = fma(to_float(total[t][r]), scale, sum[t][r]);
      }
    }
    if constexpr (kHasE) fold_minimum<T, R, kMinimum, kInRegisters>(a, k, n, sum_e);
  }
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) {
      store(a.state[t][r]->sum, sum[t][r]);
      if constexpr (kHasE && kInRegisters) store(a.state[t][r]->e, sum_e[t][r]);
    }
  }
}

// Floats: one chain of fma in ascending k.
template <int T, int R>
void float_tile(const TileArgs& a) {
  F32x16 sum[T][R];
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) sum[t][r] = a.first ? zero() : load(a.state[t][r]->sum);
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
    for (int r = 0; r < R; ++r) store(a.state[t][r]->sum, sum[t][r]);
  }
}

constexpr int at_most(int x, int most) { return x < most ? x : most; }

// Three accumulators per token and row block where there are totals or E, two otherwise.
constexpr int most_tokens(Scales scales, Minimum minimum) {
  return scales == Scales::per_step || minimum != Minimum::none ? at_most(4, kTileTokens) : kTileTokens;
}

template <Scales kScales, Minimum kMinimum, bool kBlocks, int kForm, int kMost = most_tokens(kScales, kMinimum)>
constexpr TileSet kIntegerTiles = {
    integer_tile<1, 1, kScales, kMinimum, kBlocks, kForm>,
    integer_tile<at_most(2, kMost), kTileBlocks, kScales, kMinimum, kBlocks, kForm>,
    integer_tile<at_most(4, kMost), kTileBlocks, kScales, kMinimum, kBlocks, kForm>,
    integer_tile<at_most(6, kMost), kTileBlocks, kScales, kMinimum, kBlocks, kForm>,
    kMost,
};
constexpr TileSet kFloatTiles = {float_tile<1, 1>, float_tile<at_most(2, kTileTokens), kTileBlocks>,
                                 float_tile<at_most(4, kTileTokens), kTileBlocks>,
                                 float_tile<at_most(6, kTileTokens), kTileBlocks>, kTileTokens};

template <Scales kScales, int kForm>
const TileSet* pick_minimum(Minimum minimum, bool blocks) {
  switch (minimum) {
    case Minimum::none: break;
    case Minimum::plain: return &kIntegerTiles<kScales, Minimum::plain, true, kForm>;
    case Minimum::scaled: return &kIntegerTiles<kScales, Minimum::scaled, true, kForm>;
  }
  return blocks ? &kIntegerTiles<kScales, Minimum::none, true, kForm>
                : &kIntegerTiles<kScales, Minimum::none, false, kForm>;
}
template <int kForm>
const TileSet* pick_scales(Scales scales, Minimum minimum, bool blocks) {
  switch (scales) {
    case Scales::none: return pick_minimum<Scales::none, kForm>(minimum, blocks);
    case Scales::per_fold: return pick_minimum<Scales::per_fold, kForm>(minimum, blocks);
    case Scales::per_step: break;
  }
  return pick_minimum<Scales::per_step, kForm>(minimum, blocks);
}
template <int kForm = 0>
const TileSet* pick_tiles(Scales scales, Minimum minimum, bool blocks, int form) {
  if constexpr (kForm + 1 < kDotForms) {
    if (form != kForm) return pick_tiles<kForm + 1>(scales, minimum, blocks, form);
  }
  (void)form;
  return pick_scales<kForm>(scales, minimum, blocks);
}

}  // namespace
}  // namespace loam::cpu::ISA
