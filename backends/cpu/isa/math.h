// Elementary functions over the vector layer: step by step those of core/math.h, so that the bits are equal.
#pragma once
#include "core/math.h"

namespace loam::cpu::ISA {
namespace {

LOAM_INLINE F32x16 exp(F32x16 x) {
  using C = ExpConstants;
  x = max(splat(C::kLow), min(splat(C::kHigh), x));  // NaN stays
  const F32x16 magic = splat(12582912.f), shifted = fma(x, splat(C::kLog2e), magic), n = shifted - magic;
  const F32x16 r = fma(n, splat(-C::kLn2Low), fma(n, splat(-C::kLn2High), x));
  F32x16 p = splat(C::kC7);
  p = fma(p, r, splat(C::kC6));
  p = fma(p, r, splat(C::kC5));
  p = fma(p, r, splat(C::kC4));
  p = fma(p, r, splat(C::kC3));
  p = fma(p, r, splat(C::kC2));
  p = fma(p, r, splat(1.f));
  p = fma(p, r, splat(1.f));
  const I32x16 i = as_int(shifted) - splat(int32_t(0x4b400000)), half = shift_right<1>(i), bias = splat(int32_t(127));
  return p * as_float(shift_left<23>(half + bias)) * as_float(shift_left<23>(i - half + bias));
}

LOAM_INLINE F32x16 exp2(F32x16 x) {
  using C = Exp2Constants;
  x = max(splat(C::kLow), x);  // NaN stays
  const F32x16 magic = splat(12582912.f), shifted = x + magic, r = x - (shifted - magic);
  F32x16 p = splat(C::kC5);
  p = fma(p, r, splat(C::kC4));
  p = fma(p, r, splat(C::kC3));
  p = fma(p, r, splat(C::kC2));
  p = fma(p, r, splat(C::kC1));
  p = fma(p, r, splat(1.f));
  return p * as_float(shift_left<23>(as_int(shifted)) + splat(int32_t(0x3f800000)));
}

LOAM_INLINE F32x16 silu(F32x16 x) { return x / (splat(1.f) + exp(-x)); }

LOAM_INLINE F32x16 gelu_tanh(F32x16 x) {
  const F32x16 inner = x * fma(splat(GeluConstants::kCubic) * x, x, splat(1.f));
  return x / (splat(1.f) + exp(splat(GeluConstants::kMinusTwoRoot) * inner));
}

// x / sqrt(mean of squares + eps) * gain over n values: rms_norm_row's lanes and order. out may be x.
LOAM_INLINE void rms_norm_row(const float* x, const float* gain, int64_t n, float eps, float* out) {
  F32x16 lanes = zero();
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) lanes = fma(load(x + i), load(x + i), lanes);
  const int tail = int(n - i);
  if (tail) lanes = fma(load(x + i, tail), load(x + i, tail), lanes);
  const F32x16 inverse = splat(1.f / __builtin_sqrtf(tree_sum(lanes) / float(n) + eps));
  for (i = 0; i + 16 <= n; i += 16) store(out + i, load(x + i) * inverse * load(gain + i));
  if (tail) store(out + i, load(x + i, tail) * inverse * load(gain + i, tail), tail);
}

}  // namespace
}  // namespace loam::cpu::ISA
