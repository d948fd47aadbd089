// rope_angles: the definition itself, in chunks of rows; sine and cosine come from core.
#pragma once
#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kAngleRows = 4;  // per chunk

int64_t rope_angles_chunks(const Call& c, int) { return (c.out[0].rows + kAngleRows - 1) / kAngleRows; }

void rope_angles_run(const Call& c, int64_t chunk, std::byte*) {
  const RopeAngles& op = *std::get_if<RopeAngles>(c.op);
  const double* frequencies = op.inverse_frequencies.data();
  const int64_t n = c.out[0].cols / 2, last = chunk * kAngleRows + kAngleRows;
  for (int64_t r = chunk * kAngleRows; r < last && r < c.out[0].rows; ++r) {
    const double position = double(c.run->rows[size_t(r)].position);
    float* out = c.out[0].row(r);
    for (int64_t i = 0; i < n; ++i) {
      double sine, cosine;
      sin_cos(position * frequencies[i], sine, cosine);
      out[i] = float(cosine);
      out[n + i] = float(sine);
    }
  }
}

constexpr Kernel rope_angles_kernel = {1, {{rope_angles_chunks, rope_angles_run}}};

}  // namespace
}  // namespace loam::cpu::ISA
