// select_rows: one chunk per row that was asked for.
#pragma once
#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

int64_t select_rows_chunks(const Call& c, int) { return int64_t(c.run->outputs.size()); }

void select_rows_run(const Call& c, int64_t chunk, std::byte*) {
  for (int i = 0; i < c.inputs; ++i) {
    const float* from = c.in[i].row(c.run->outputs[size_t(chunk)]);
    float* to = c.out[i].row(chunk);
    for (int64_t k = 0; k < c.in[i].cols; k += 16)
      store(to + k, load(from + k, int(c.in[i].cols - k)), int(c.in[i].cols - k));
  }
}

constexpr Kernel select_rows_kernel = {1, {{select_rows_chunks, select_rows_run}}};

}  // namespace
}  // namespace loam::cpu::ISA
