// rms_norm: chunks of rows.
#pragma once
#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kNormRows = 8;  // per chunk

int64_t rms_norm_chunks(const Call& c, int) { return (c.in[0].rows + kNormRows - 1) / kNormRows; }

// Rows [begin, end): sums (where the op adds) and normed values lie dense from row 0 on.
LOAM_INLINE void rms_norm_rows(const Call& c, int64_t begin, int64_t end, float* sums, float* normed) {
  const RmsNorm& op = *std::get_if<RmsNorm>(c.op);
  const int64_t n = c.in[0].cols;
  for (int64_t r = begin; r < end; ++r) {
    const float* x = c.in[0].row(r);
    if (op.add) {
      float* sum = sums + r * n;
      const float* y = c.in[1].row(r);
      if (op.post) {
        rms_norm_row(y, c.weights[1]->floats(), n, op.eps, sum);
        y = sum;
      }
      for (int64_t i = 0; i < n; i += 16) store(sum + i, load(x + i, int(n - i)) + load(y + i, int(n - i)), int(n - i));
      x = sum;
    }
    rms_norm_row(x, c.weights[0]->floats(), n, op.eps, normed + r * n);
  }
}

void rms_norm_run(const Call& c, int64_t chunk, std::byte*) {
  const int64_t begin = chunk * kNormRows, end = begin + kNormRows < c.in[0].rows ? begin + kNormRows : c.in[0].rows;
  rms_norm_rows(c, begin, end, c.out[0].data, c.out[c.outputs - 1].data);
}

constexpr Kernel rms_norm_kernel = {1, {{rms_norm_chunks, rms_norm_run}}};

}  // namespace
}  // namespace loam::cpu::ISA
