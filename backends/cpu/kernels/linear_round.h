// First phase of the matrix kernels: rows of activations to int8, once for all matrices that read them. The bits are
// those of quantize_activations.
#pragma once
#include "backends/cpu/kernels/linear_plan.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

// A sum of 16 codes as dots want it: times what they subtract from every panel byte, where that is a constant.
constexpr int kStartFactor = kPanelBias ? -kPanelBias : 1;

// One block of n values, a multiple of 16: its codes, keep(i, sum) of every 16 codes from i * 16; returns the scale.
template <class Keep>
LOAM_INLINE float round_block(const float* x, int64_t n, int8_t* codes, const Keep& keep) {
  I32x16 largest = splat(int32_t(0));
  UNROLL_BY_2
  for (int64_t i = 0; i < n; i += 16) largest = max(largest, as_int(load(x + i)) & splat(int32_t(0x7fffffff)));
  const uint32_t bits = max_lane(largest);
  const float amax = __builtin_bit_cast(float, bits);
  const bool finite = bits < 0x7f800000u, tiny = finite && amax < 1e-30f;
  if (!finite || tiny) {
    for (int64_t i = 0; i < n; i += 16) {
      store_low_bytes(codes + i, splat(int32_t(0)));
      keep(i / 16, 0);
    }
    return finite ? 0.f : __builtin_bit_cast(float, 0x7fc00000u);
  }
  const F32x16 inverse = splat(127.f / amax), magic = splat(12582912.f);
  UNROLL_BY_2
  for (int64_t i = 0; i < n; i += 16) {
    const I32x16 q = as_int(load(x + i) * inverse + magic) - splat(int32_t(0x4b400000));
    store_low_bytes(codes + i, q);
    keep(i / 16, sum_lanes(q));
  }
  return amax / 127.f;
}

// kBlock: the block where it is the smallest, which is unrolled.
template <int kBlock>
void round_row(const float* x, int64_t k, int64_t block, int8_t* codes, float* scales, int32_t* starts, float* sums) {
  if constexpr (kBlock != 0) block = kBlock;
  const int64_t padded = (k + kPadK - 1) / kPadK * kPadK;
  alignas(64) float tail[256];
  for (int64_t i = 0; i < padded; i += block) {
    const int64_t n = kBlock == kPadK || block < padded - i ? block : padded - i;
    const float* from = x + i;
    if (i + n > k) {
      for (int64_t j = 0; j < n; j += 16) {
        const int64_t left = k - i - j;
        store(tail + j, left >= 16 ? load(from + j) : left > 0 ? load(from + j, int(left)) : zero());
      }
      from = tail;
    }
    scales[i / block] = round_block(from, n, codes + i, [&](int64_t j, int32_t sum) {
      starts[i / 16 + j] = sum * kStartFactor;
      sums[i / 16 + j] = float(sum);
    });
  }
}

void round_chunk(const Call& call, int64_t chunk, std::byte*) {
  const Matrix& x = call.in[0];
  const LinearOp op = linear_op(*call.op);
  const RoundedLayout l = rounded_layout(x.cols, op.activations.block, x.rows);
  int64_t begin, end;
  rounding_range(call, chunk, begin, end);
  for (int64_t row = begin; row < end; ++row) {
    const auto round = op.activations.block == kPadK ? round_row<kPadK> : round_row<0>;
    round(x.data + row * x.cols, x.cols, op.activations.block,
          reinterpret_cast<int8_t*>(call.scratch + l.codes) + row * l.codes_stride,
          reinterpret_cast<float*>(call.scratch + l.scales) + row * l.scales_stride,
          reinterpret_cast<int32_t*>(call.scratch + l.starts) + row * l.sums_stride,
          reinterpret_cast<float*>(call.scratch + l.sums) + row * l.sums_stride);
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
