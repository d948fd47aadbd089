// The hot loops over logits, with the widest vectors that the machine has. The operations on each value and their order
// are the same in all widths: so are the bits, but for those of weigh, which has bounds on its errors.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace loam {

constexpr size_t kLogitBlock = 256;  // logits that go through a pass together

struct BlockSums {
  double weight = 0;    // of e^-y, where y >= 0 is how much less than the largest a logit is, by the temperature
  double surprise = 0;  // of y e^-y
};

// Each sum of such blocks is off by at most kWeightError * weight + kSurpriseError * surprise, or for those of y e^-y
// kManyTimes as much: float arithmetic, a polynomial good for 1.6e-7, sums of 16 terms, and y <= 87.
constexpr double kWeightError = 2e-6, kSurpriseError = 2e-7, kManyTimes = 100;

struct BlockMoments {
  double count = 0, sum = 0, squares = 0;
};

struct VectorPasses {
  // Whether one of a block exceeds the threshold or is NaN.
  bool (*any_above)(const float* logits, float threshold);
  void (*mark_above)(const float* logits, float threshold, uint8_t* marks);  // which do; others get 0
  // Of a block's logits less than `below`, in float arithmetic. `scale`: log2(e) / temperature.
  BlockSums (*weigh)(const float* logits, float largest, float scale, float below);
  // Of a block, by exp_f64; and the weights themselves.
  BlockSums (*weigh_exactly)(const float* logits, double largest, double temperature, double* weights);
  // Of those logits that are not -inf, less `shift`.
  BlockMoments (*moments)(const float* logits, double shift);
  // e^x of each, as exp_f64 of one; `count` is a multiple of 8.
  void (*exponentials)(double* x, size_t count);
};

const VectorPasses& vector_passes();
std::span<const VectorPasses> all_vector_passes();  // that this machine can run, the narrowest first

}  // namespace loam
