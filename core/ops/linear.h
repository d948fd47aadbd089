// linear(x; W0, W1, ..., biases): y_i = x W_i^T + b_i for several matrices of any types that share an input.
#pragma once
#include "core/ops/linear_math.h"

namespace loam {

struct Linear {
  Activations activations;
  int matrices = 1;     // weights: the matrices, then one bias vector per set bit of `biases`, in order
  uint32_t biases = 0;  // bit i: matrix i has a bias

  static constexpr std::string_view kName = "linear";
  static constexpr double kTolerance = 0;  // the order of every accumulation is defined: bits are equal

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 1);
    expect_count(kName, "weights", s.weights.size(), size_t(matrices + std::popcount(biases)));
    std::vector<ValueShape> out;
    for (int i = 0; i < matrices; ++i) {
      check_matrix(kName, *s.weights[size_t(i)], s.in[0].cols);
      if (bias_index(i) >= 0) check_vector(kName, *s.weights[size_t(bias_index(i))], s.weights[size_t(i)]->n);
      out.push_back({s.in[0].rows, s.weights[size_t(i)]->n});
    }
    return out;
  }

  // Index of matrix i's bias among the weights, or -1.
  int bias_index(int i) const { return biases >> i & 1 ? matrices + std::popcount(biases & ((1u << i) - 1)) : -1; }

  void reference(const OpArgs& a) const {
    for (int i = 0; i < matrices; ++i) {
      const Weight* bias = bias_index(i) < 0 ? nullptr : a.weights[size_t(bias_index(i))];
      linear_reference(a.in[0], *a.weights[size_t(i)], bias, activations, a.out[size_t(i)]);
    }
  }

  static std::vector<Case<Linear>> cases();
};

}  // namespace loam
