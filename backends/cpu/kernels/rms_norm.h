// rms_norm: chunks of rows.
#pragma once
#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kNormRows = 8;  // per chunk

int64_t rms_norm_chunks(const Call& c, int) { return (c.in[0].rows + kNormRows - 1) / kNormRows; }

void rms_norm_run(const Call& c, int64_t chunk, std::byte*) {
  const RmsNorm& op = *std::get_if<RmsNorm>(c.op);
  const int64_t n = c.in[0].cols, last = chunk * kNormRows + kNormRows;
  for (int64_t r = chunk * kNormRows; r < last && r < c.in[0].rows; ++r) {
    const float* x = c.in[0].row(r);
    if (op.add) {
      float* sum = c.out[0].row(r);
      const float* y = c.in[1].row(r);
      if (op.post) {
        rms_norm_row(y, c.weights[1]->floats(), n, op.eps, sum);
        y = sum;
      }
      for (int64_t i = 0; i < n; i += 16) store(sum + i, load(x + i, int(n - i)) + load(y + i, int(n - i)), int(n - i));
      x = sum;
    }
    rms_norm_row(x, c.weights[0]->floats(), n, op.eps, c.out[op.add ? 1 : 0].row(r));
  }
}

constexpr Kernel rms_norm_kernel = {1, {{rms_norm_chunks, rms_norm_run}}};

}  // namespace
}  // namespace loam::cpu::ISA
