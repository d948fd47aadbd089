// linear and gated_linear: activations are rounded once, then units of two row blocks are multiplied, of all matrices.
#pragma once
#include "backends/cpu/kernels/linear_round.h"
#include "backends/cpu/kernels/linear_run.h"

namespace loam::cpu::ISA {
namespace {

// Units begin .. end of matrix `matrix` (pairs: of both).
LOAM_INLINE void run_units(const Call& call, const LinearOp& op, int matrix, int64_t begin, int64_t end,
                           const Tokens& tokens, ThreadScratch& scratch) {
  MatrixRun runs[2];
  prepare_matrix(call, op, matrix, runs[0]);
  if (op.pairs) prepare_matrix(call, op, 1, runs[1]);
  const int64_t blocks = (runs[0].plan.n + kTileRows - 1) / kTileRows;
  for (int64_t i = begin; i < end; ++i) {
    Unit u{};
    u.pair = op.pairs;
    u.run[0] = &runs[0];
    u.run[1] = &runs[op.pairs ? 1 : 0];
    u.block[0] = op.pairs ? i : 2 * i;
    u.block[1] = op.pairs ? i : 2 * i + 1;
    u.count = u.block[1] < blocks ? 2 : 1;
    run_unit(u, tokens, op.gate, scratch);
  }
}

void linear_chunk(const Call& call, int64_t chunk, std::byte* thread_scratch) {
  ThreadScratch& scratch = *reinterpret_cast<ThreadScratch*>(thread_scratch);
  const LinearOp op = linear_op(*call.op);
  const Tokens tokens = find_tokens(call, op);
  const int64_t chunks = call.chunks[1];
  int64_t units = 0;
  for (int i = 0; i < op.matrices; ++i) units += linear_units(call, i);
  const int64_t begin = units * chunk / chunks, end = units * (chunk + 1) / chunks;
  int64_t base = 0;
  for (int i = 0; i < op.matrices && base < end; ++i) {
    const int64_t count = linear_units(call, i);
    const int64_t from = begin > base ? begin - base : 0, to = smaller(end - base, count);
    if (from < to) run_units(call, op, i, from, to, tokens, scratch);
    base += count;
  }
}

constexpr Kernel linear_kernel = {2,
                                  {{rounding_chunks, round_chunk, "rounding"}, {linear_chunks, linear_chunk}},
                                  linear_scratch_bytes,
                                  linear_thread_scratch_bytes};

}  // namespace
}  // namespace loam::cpu::ISA
