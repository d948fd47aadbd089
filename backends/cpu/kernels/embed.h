// embed: a chunk is one row; the row blocks around it are unpacked piece by piece and one lane is taken.
#pragma once
#include "backends/cpu/kernels/unpack_panel.h"

namespace loam::cpu::ISA {
namespace {

void embed_row(const Call& call, int64_t row, std::byte* thread_scratch) {
  const Weight& w = *call.weights[0];
  const Row& token = call.run->rows[size_t(row)];
  const float scale = std::get_if<Embed>(call.op)->scale;
  float* out = call.out[0].data + row * w.k;
  if (token.token < 0) {
    for (int64_t i = 0; i < w.k; ++i) out[i] = token.embedding[i];
    return;
  }
  ThreadScratch& scratch = *reinterpret_cast<ThreadScratch*>(thread_scratch);
  const MatrixPlan plan = plan_matrix(w, Activations{Activations::Kind::f32, 32});
  Recipe recipe{};
  if (plan.type.family != Family::plain) recipe = make_recipe(plan);
  float* values = scratch.panels[0].values;
  const int64_t lane = token.token % kTileRows;
  for (int64_t k = 0; k < w.k; k += LOAM_SEGMENT_K) {
    const int64_t n = smaller(LOAM_SEGMENT_K, w.k - k);
    unpack_float_panel(plan, recipe, token.token / kTileRows, k, n, scratch, values);
    for (int64_t i = 0; i < n; ++i) out[k + i] = values[i * 16 + lane] * scale;
  }
}

constexpr Kernel embed_kernel = {1, {{embed_chunks, embed_row}}, nullptr, embed_thread_scratch_bytes};

}  // namespace
}  // namespace loam::cpu::ISA
