// Activations rounded to int8 at run time: per block of `block` k one f32 scale; codes in [-127, 127], halves to even.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/types/record.h"

namespace loam {

// How a Linear treats its input. A policy is part of the op, never of the backend.
struct Activations {
  enum class Kind : uint8_t { f32, int8 } kind = Kind::int8;
  int block = 32;  // k per scale of int8: 16, 32, 64, 128 or 256
  bool operator==(const Activations&) const = default;
};

// One block. A NaN or infinity poisons the scale, so that it reaches every output instead of being clamped away;
// below 1e-30 everything is zero (127 / amax must stay finite).
inline float quantize_activations(const float* x, int count, int8_t* codes) {
  uint32_t largest = 0;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  const float amax = std::bit_cast<float>(largest);
  const bool finite = largest < 0x7f800000u, tiny = finite && amax < 1e-30f;
  const float inverse = !finite || tiny ? 0.f : 127.f / amax;
  for (int i = 0; i < count; ++i) {
    const float shifted = inverse == 0.f ? 12582912.f : x[i] * inverse + 12582912.f;  // rounds to an integer
    codes[i] = int8_t(int32_t(std::bit_cast<uint32_t>(shifted)) - 0x4b400000);
  }
  return !finite ? std::bit_cast<float>(0x7fc00000u) : tiny ? 0.f : amax / 127.f;
}

// A row of k values, padded with zeros to a multiple of 32.
struct QuantizedRow {
  std::vector<int8_t> codes;
  std::vector<float> scales;  // one per block

  QuantizedRow(const float* x, int64_t k, int block) {
    std::vector<float> padded(size_t(padded_k(k)), 0.f);
    std::copy(x, x + k, padded.begin());
    codes.resize(padded.size());
    for (size_t i = 0; i < padded.size(); i += size_t(block))
      scales.push_back(quantize_activations(&padded[i], int(std::min(padded.size() - i, size_t(block))), &codes[i]));
  }
};

}  // namespace loam
