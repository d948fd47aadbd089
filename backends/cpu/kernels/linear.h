// linear and gated_linear: activations are rounded once, then units of two row blocks are multiplied, of all matrices.
// Few rows are rounded, and normed where the node before is a norm, by every thread for itself: nobody waits for one.
#pragma once
#include "backends/cpu/kernels/linear_round.h"
#include "backends/cpu/kernels/linear_run.h"
#include "backends/cpu/kernels/rms_norm.h"

namespace loam::cpu::ISA {
namespace {

// What a thread prepares for a call, at the start of its scratch.
struct Prepared {
  Call call;  // the node's, with an input and rounded codes of the thread's own where it is alone
  Matrix x;
  LinearOp op;
  Tokens tokens;
  MatrixRun* runs;    // of all matrices
  const float* sums;  // of the norm before
  ThreadScratch* scratch;
};
static_assert(sizeof(Prepared) <= kRunBytes && sizeof(MatrixRun) <= kRunBytes);

void linear_prepare(const Call& call, std::byte* memory) {
  Prepared& p = *reinterpret_cast<Prepared*>(memory);
  p.call = call, p.x = call.in[0], p.op = linear_op(*call.op);
  const OwnLayout l = own_layout(p.op, p.x.cols);
  p.runs = reinterpret_cast<MatrixRun*>(memory + l.runs);
  p.scratch = reinterpret_cast<ThreadScratch*>(memory + l.scratch);
  if (runs_alone(call)) {
    p.call.in = &p.x;
    p.call.scratch = memory + l.rounded;
    if (call.before) {
      float* sums = reinterpret_cast<float*>(memory + l.sums);
      p.sums = sums;
      p.x.data = reinterpret_cast<float*>(memory + l.normed);
      rms_norm_rows(*call.before, 0, p.x.rows, sums, p.x.data);
    }
    if (needs_rounding(call)) round_chunk(p.call, 0, nullptr);
  }
  p.tokens = find_tokens(p.call, p.op);
  for (int i = 0; i < p.op.matrices; ++i) prepare_matrix(p.call, p.op, i, p.runs[i]);
}

// The sums of the norm before are read by others too: one thread writes them.
LOAM_INLINE void write_sums(const Prepared& p) {
  const Matrix& out = p.call.before->out[0];
  for (int64_t i = 0; i < out.rows * out.cols; i += 16) {
    const int n = int(out.rows * out.cols - i);
    store(out.data + i, load(p.sums + i, n), n);
  }
}

// Units begin .. end of matrix `matrix` (pairs: of both).
LOAM_INLINE void run_units(const Prepared& p, int matrix, int64_t begin, int64_t end) {
  const MatrixRun* runs = p.runs + matrix;
  if (p.op.pairs && p.tokens.rows == 1 && runs[0].row && runs[1].row)
    return run_row_pairs(runs, begin, end, p.tokens, p.op.gate, *p.scratch);
  const int64_t blocks = (runs[0].plan.n + kTileRows - 1) / kTileRows;
  for (int64_t i = begin; i < end; ++i) {
    Unit u{};
    u.pair = p.op.pairs;
    u.run[0] = &runs[0];
    u.run[1] = &runs[u.pair ? 1 : 0];
    u.block[0] = u.pair ? i : 2 * i;
    u.block[1] = u.pair ? i : 2 * i + 1;
    u.count = u.block[1] < blocks ? 2 : 1;
    run_unit(u, p.tokens, p.op.gate, *p.scratch);
  }
}

void linear_chunk(const Call& call, int64_t chunk, std::byte* memory) {
  const Prepared& p = *reinterpret_cast<const Prepared*>(memory);
  if (chunk == 0 && call.before && call.before->outputs > 1) write_sums(p);
  const int64_t chunks = call.chunks[1];
  const int matrices = p.op.pairs ? 1 : p.op.matrices;
  int64_t units = 0;
  for (int i = 0; i < matrices; ++i) units += linear_units(p.runs[i].plan.n, p.op.pairs);
  const int64_t begin = units * chunk / chunks, end = units * (chunk + 1) / chunks;
  int64_t base = 0;
  for (int i = 0; i < matrices && base < end; ++i) {
    const int64_t count = linear_units(p.runs[i].plan.n, p.op.pairs);
    const int64_t from = begin > base ? begin - base : 0, to = smaller(end - base, count);
    if (from < to) run_units(p, i, from, to);
    base += count;
  }
}

constexpr Kernel linear_kernel = {
    2,
    {{rounding_chunks, round_chunk, "rounding"}, {linear_chunks, linear_chunk, "", linear_prepare}},
    linear_scratch_bytes,
    linear_thread_scratch_bytes,
    linear_absorbs};

}  // namespace
}  // namespace loam::cpu::ISA
