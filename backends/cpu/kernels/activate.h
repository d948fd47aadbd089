// activate: chunks of elements.
#pragma once
#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kActivateElements = 4096;  // per chunk

int64_t activate_chunks(const Call& c, int) {
  return (c.in[0].rows * c.in[0].cols + kActivateElements - 1) / kActivateElements;
}

LOAM_INLINE F32x16 activated(Activate::Function function, F32x16 x) {
  switch (function) {
    case Activate::Function::relu: return max(zero(), x);  // NaN passes
    case Activate::Function::silu: return silu(x);
    case Activate::Function::gelu_tanh: return gelu_tanh(x);
  }
  return x;
}

void activate_run(const Call& c, int64_t chunk, std::byte*) {
  const Activate& op = *std::get_if<Activate>(c.op);
  const int64_t begin = chunk * kActivateElements, all = c.in[0].rows * c.in[0].cols;
  const int64_t end = begin + kActivateElements < all ? begin + kActivateElements : all;
  for (int64_t i = begin; i < end; i += 16) {
    const int n = int(end - i);
    store(c.out[0].data + i, activated(op.function, load(c.in[0].data + i, n)), n);
  }
}

constexpr Kernel activate_kernel = {1, {{activate_chunks, activate_run}}};

}  // namespace
}  // namespace loam::cpu::ISA
