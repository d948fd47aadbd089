// One or two row blocks times all tokens: panels are unpacked once, then tiles of tokens run over them.
#pragma once
#include "backends/cpu/kernels/linear_few.h"

namespace loam::cpu::ISA {
namespace {

// A matrix with all that was chosen for it, and where its results go.
struct MatrixRun {
  MatrixPlan plan;
  Recipe recipe;
  const TileSet* tiles;
  Units units;
  RowKernel row;      // of one token; null: tiles do it
  const FewSet* few;  // of few tokens; null likewise
  const float* bias;
  const Matrix* out;
};

LOAM_INLINE void prepare_matrix(const Call& call, const LinearOp& op, int matrix, MatrixRun& run) {
  run.plan = plan_matrix(*call.weights[matrix], op.activations);
  const MatrixPlan& p = run.plan;
  run.row = nullptr, run.few = nullptr;
  run.bias = linear_bias(call, matrix);
  run.out = &call.out[op.pairs ? 0 : matrix];
  if (p.type.family == Family::plain) {
    run.tiles = &kFloatTiles;
    return;
  }
  run.recipe = make_recipe(p);
  if (!p.integers) {
    run.tiles = &kFloatTiles;
    return;
  }
  const bool has_s = p.type.family == Family::scaled && run.recipe.needs_s;
  run.units = p.has_e ? Units::offsets : has_s || p.type.block ? Units::scales : Units::none;
  if (call.in[0].rows > 1 && call.in[0].rows <= kFewRows) run.few = pick_few_set<kHasFewKernels>(p, run.recipe);
  if (call.in[0].rows <= kFewTokens) run.row = pick_row_kernel(p, run.recipe);
  run.tiles = pick_tiles(p.step, p.fold, p.has_e, dot_form(run.recipe.is_signed, p.type.bits));
}

// The row blocks of one unit of work.
struct Unit {
  const MatrixRun* run[2];
  int64_t block[2];
  int count;
  bool pair;  // gate and up: one output
};

// What all units of a call share.
struct Tokens {
  int64_t rows;
  const Matrix* x;
  const int8_t* codes;
  const float* scales;
  const int32_t* starts;
  const float* sums;
  RoundedLayout layout;
};

LOAM_INLINE Tokens find_tokens(const Call& call, const LinearOp& op) {
  Tokens t{};
  t.rows = call.in[0].rows;
  t.x = &call.in[0];
  t.layout = rounded_layout(call.in[0].cols, op.activations.block, t.rows);
  t.codes = reinterpret_cast<const int8_t*>(call.scratch + t.layout.codes);
  t.scales = reinterpret_cast<const float*>(call.scratch + t.layout.scales);
  t.starts = reinterpret_cast<const int32_t*>(call.scratch + t.layout.starts);
  t.sums = reinterpret_cast<const float*>(call.scratch + t.layout.sums);
  return t;
}

// Tokens first.. of a tile from k0. Behind the last row: nobody reads the results.
LOAM_INLINE void point_at_tokens(const Tokens& t, int64_t first, int count, int64_t k0, const MatrixPlan& p, int zero,
                                 TileArgs& a) {
  const RoundedLayout& l = t.layout;
  if (!p.integers) {
    for (int i = 0; i < count; ++i) a.floats[i] = t.x->data + smaller(first + i, t.rows - 1) * t.x->cols + k0;
    return;
  }
  const int64_t sum = first * l.sums_stride + k0 / 16;
  a.x = t.codes + first * l.codes_stride + k0, a.x_stride = l.codes_stride;
  a.scales = t.scales + first * l.scales_stride + (k0 >> p.scale_shift), a.scales_stride = l.scales_stride;
  a.starts = zero ? t.starts + sum : kNoStarts, a.starts_stride = zero ? l.sums_stride : 0;
  a.sums = t.sums + sum, a.sums_stride = l.sums_stride;
}

LOAM_INLINE void point_at_panel(const MatrixRun& run, int slot, int64_t block, int64_t k0, ThreadScratch& scratch,
                                int which, TileArgs& a) {
  const Panel& panel = scratch.panels[which];
  a.codes[slot] = panel.codes, a.unit_scales[slot] = panel.scales, a.offsets[slot] = panel.offsets;
  a.panel_starts[slot] = panel.starts;
  a.values[slot] = scratch.panels[which].values;
  if (run.plan.type.plain == FloatFormat::f32) {  // the file's lines are what a panel holds
    a.values[slot] = reinterpret_cast<const float*>(run.plan.data + uint64_t(block) * run.plan.record_bytes) + k0 * 16;
  }
}

LOAM_INLINE void fill_panel(const MatrixRun& run, int64_t block, int64_t k0, int64_t n, ThreadScratch& scratch,
                            int which) {
  if (run.plan.integers) return unpack_panel(run.plan, run.recipe, block, k0, n, scratch.panels[which], scratch.parts);
  if (run.plan.type.plain == FloatFormat::f32) return;
  unpack_float_panel(run.plan, run.recipe, block, k0, smaller(n, run.plan.k - k0), scratch,
                     scratch.panels[which].values);
}

// D of a unit's rows where it multiplies finished sums.
LOAM_INLINE void unpack_row_d(const Unit& u, ThreadScratch& scratch) {
  for (int i = 0; i < u.count; ++i) {
    const MatrixPlan& p = u.run[i]->plan;
    if (!p.integers || !p.d_at_end) continue;
    unpack_floats(p.type.d, p.data + uint64_t(u.block[i]) * p.record_bytes + p.row_d, 1, scratch.row_d[i]);
  }
}

// The values of matrix i of a unit from the sums of a row block's 16 rows.
LOAM_INLINE F32x16 finish_sums(const Unit& u, int i, F32x16 row_d, const TokenState& state) {
  const MatrixPlan& p = u.run[i]->plan;
  const F32x16 sum = load(state.block[i].sum);
  return p.integers && p.d_at_end ? sum * row_d : sum;
}

LOAM_INLINE void write_tokens(const Unit& u, Gate gate, int64_t first, int64_t count, const ThreadScratch& scratch,
                              const TokenState* states) {
  const F32x16 up_d = load(scratch.row_d[1]);
  for (int i = 0; i < (u.pair ? 1 : u.count); ++i) {
    const MatrixRun& run = *u.run[i];
    const int64_t row = u.block[i] * kTileRows, cols = run.out->cols;
    const int n = int(smaller(run.plan.n - row, kTileRows));
    const F32x16 d = load(scratch.row_d[i]), bias = run.bias ? load(run.bias + row, n) : zero();
    float* out = run.out->data + first * cols + row;
    for (int64_t t = 0; t < count; ++t, out += cols) {
      F32x16 x = finish_sums(u, i, d, states[t]);
      if (run.bias) x = x + bias;
      if (u.pair) x = (gate == Gate::silu ? silu(x) : gelu_tanh(x)) * finish_sums(u, 1, up_d, states[t]);
      if (n == kTileRows) {
        store(out, x);
      } else {
        store(out, x, n);
      }
    }
  }
}

// The lines that a tile writes its results to come while it runs: a store that waits for one holds up loads behind it.
LOAM_INLINE void prefetch_results(const Unit& u, int64_t first, int64_t count) {
  for (int i = 0; i < (u.pair ? 1 : u.count); ++i) {
    const Matrix& out = *u.run[i]->out;
    const float* line = out.data + first * out.cols + u.block[i] * kTileRows;
    for (int64_t t = 0; t < count; ++t, line += out.cols) prefetch_far(line);
  }
}

// Tokens of the tile that fits what is left.
LOAM_INLINE int tile_tokens(int64_t left, int64_t most) { return int(smaller(most, left > 4 ? 6 : left > 2 ? 4 : 2)); }
LOAM_INLINE Tile tile_of(const TileSet& set, int tokens) {
  return tokens == 2 ? set.two : tokens == 4 ? set.four : set.six;
}

// The records that the next unit reads: they come to the second cache while the tiles of this one run, evenly.
struct Ahead {
  const std::byte* from[2];
  int64_t left, per_fold;  // lines

  LOAM_INLINE void advance(int64_t folds) {
    for (const std::byte*& f : from) f += folds * per_fold * 64;
    left -= folds * per_fold;
    if (left <= 0) per_fold = 0;
  }
};

LOAM_INLINE int64_t folds_of(const MatrixPlan& p, int64_t n) { return (n + p.fold - 1) / p.fold; }

LOAM_INLINE Ahead records_ahead(const Unit& u, int64_t tiles) {
  Ahead a{};
  if (!kFetchesAhead) return a;
  for (int i = 0; i < u.count; ++i) {
    const MatrixPlan& p = u.run[i]->plan;
    if (!p.integers) return {};
    a.from[i] = p.data + uint64_t(u.block[i] + (u.pair ? 1 : 2)) * p.record_bytes;
    a.left = int64_t(p.record_bytes / 64);
    const int64_t folds = tiles * folds_of(p, p.padded);
    a.per_fold = (a.left + folds - 1) / folds;
  }
  return a;
}

// All k of one panel for the tokens from `first`: both row blocks in one tile where they are of one kind.
LOAM_INLINE void run_tiles(const Unit& u, const Tokens& tokens, int64_t first, int count, int64_t k0, int64_t n,
                           TokenState* states, const Ahead& ahead, ThreadScratch& scratch) {
  TileArgs a;
  const bool alone = tokens.rows == 1;
  const bool joined = !alone && kTileBlocks == 2 && u.count == 2 && u.run[0]->plan.type.id == u.run[1]->plan.type.id;
  for (int i = 0; i < u.count; ++i) {
    const MatrixPlan& p = u.run[i]->plan;
    if (i == 0 || !joined) point_at_tokens(tokens, first, count, k0, p, u.run[i]->recipe.zero, a);
    for (int slot = 0; slot < kTileBlocks; ++slot) {
      const int which = joined ? slot : i;
      point_at_panel(*u.run[which], slot, u.block[which], k0, scratch, which, a);
      a.states[slot] = &states[0].block[joined || slot == 0 ? which : 2];
      a.ahead[slot] = ahead.from[which];
    }
    a.ahead_lines = ahead.per_fold;
    a.n = p.integers ? n : smaller(n, p.k - k0);
    a.units = u.run[i]->units, a.fold = p.fold, a.step = p.step, a.zero = u.run[i]->recipe.zero;
    a.unit_shift = p.unit_shift, a.scale_shift = p.scale_shift;
    a.first = k0 == 0;
    (alone ? u.run[i]->tiles->one : tile_of(*u.run[i]->tiles, count))(a);
    if (joined) return;
  }
}

// The sums of one row block for one token, into a state.
LOAM_INLINE void run_row(const Unit& u, int i, const Tokens& tokens, int64_t token, ThreadScratch& scratch,
                         BlockState& state) {
  const RoundedLayout& l = tokens.layout;
  const MatrixPlan& p = u.run[i]->plan;
  u.run[i]->row({&p, &u.run[i]->recipe, p.data + uint64_t(u.block[i]) * p.record_bytes,
                 tokens.codes + token * l.codes_stride, tokens.scales + token * l.scales_stride,
                 tokens.starts + token * l.sums_stride, &scratch.parts, &state});
}

// Few tokens: each goes down the records, which are in the cache from the second on.
LOAM_INLINE void run_rows(const Unit& u, const Tokens& tokens, Gate gate, ThreadScratch& scratch) {
  for (int64_t token = 0; token < tokens.rows; ++token) {
    for (int i = 0; i < u.count; ++i) run_row(u, i, tokens, token, scratch, scratch.states[0].block[i]);
    write_tokens(u, gate, token, 1, scratch, scratch.states);
  }
}

// Gate and up for one token: several records of one matrix, then those of the other, as memory likes longer runs.
LOAM_INLINE void run_row_pairs(const MatrixRun* runs, int64_t begin, int64_t end, const Tokens& tokens, Gate gate,
                               ThreadScratch& scratch) {
  constexpr int64_t kTogether = 16;
  TokenState states[kTogether];
  for (; begin < end; begin += kTogether) {
    const int64_t count = smaller(kTogether, end - begin);
    for (int i = 0; i < 2; ++i) {
      for (int64_t j = 0; j < count; ++j)
        run_row({{&runs[0], &runs[1]}, {begin + j, begin + j}, 2, true}, i, tokens, 0, scratch, states[j].block[i]);
    }
    for (int64_t j = 0; j < count; ++j) {
      const Unit u = {{&runs[0], &runs[1]}, {begin + j, begin + j}, 2, true};
      unpack_row_d(u, scratch);
      write_tokens(u, gate, 0, 1, scratch, &states[j]);
    }
  }
}

// Likewise, but all at once.
LOAM_INLINE void run_few(const Unit& u, const Tokens& tokens, Gate gate, ThreadScratch& scratch) {
  const RoundedLayout& l = tokens.layout;
  for (int64_t first = 0; first < tokens.rows;) {
    const int64_t left = tokens.rows - first, count = left > kMostFew ? (left + 1) / 2 : left;
    for (int i = 0; i < u.count; ++i) {
      const MatrixRun& run = *u.run[i];
      const FewArgs args = {&run.plan,
                            &run.recipe,
                            run.plan.data + uint64_t(u.block[i]) * run.plan.record_bytes,
                            tokens.codes + first * l.codes_stride,
                            tokens.scales + first * l.scales_stride,
                            run.recipe.zero ? tokens.starts + first * l.sums_stride : nullptr,
                            tokens.sums + first * l.sums_stride,
                            l.codes_stride,
                            l.scales_stride,
                            l.sums_stride,
                            &scratch,
                            scratch.states,
                            i};
      run.few->kernels[count - 2](args);
    }
    write_tokens(u, gate, first, count, scratch, scratch.states);
    first += count;
  }
}

LOAM_INLINE void run_unit(const Unit& u, const Tokens& tokens, Gate gate, ThreadScratch& scratch) {
  unpack_row_d(u, scratch);
  if (u.run[0]->few && u.run[u.count - 1]->few) return run_few(u, tokens, gate, scratch);
  if (u.run[0]->row && u.run[u.count - 1]->row) return run_rows(u, tokens, gate, scratch);
  const bool floats = !u.run[0]->plan.integers || !u.run[u.count - 1]->plan.integers;
  const int64_t padded = u.run[0]->plan.padded;
  const int64_t most = smaller(u.run[0]->tiles->most, u.run[u.count - 1]->tiles->most);
  const int64_t panel_k = floats ? kFloatPanelK : kPanelK;
  Ahead ahead = records_ahead(u, (tokens.rows + most - 1) / most);
  for (int64_t k0 = 0; k0 < padded; k0 += panel_k) {
    const int64_t n = smaller(panel_k, padded - k0);
    for (int i = 0; i < u.count; ++i) fill_panel(*u.run[i], u.block[i], k0, n, scratch, i);
    for (int64_t first = 0; first < tokens.rows;) {
      const int count = tokens.rows == 1 ? 1 : tile_tokens(tokens.rows - first, most);
      TokenState* states = panel_k >= padded ? scratch.states : scratch.states + first;
      if (k0 + n == padded) prefetch_results(u, first, smaller(count, tokens.rows - first));
      run_tiles(u, tokens, first, count, k0, n, states, ahead, scratch);
      ahead.advance(folds_of(u.run[0]->plan, n));
      if (k0 + n == padded) write_tokens(u, gate, first, smaller(count, tokens.rows - first), scratch, states);
      first += count;
    }
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
