// gated_linear(x; G, U): act(x G^T) * (x U^T), the first half of a gated feed-forward layer (Shazeer 2020, GLU
// variants).
#pragma once
#include "core/ops/linear_math.h"

namespace loam {

enum class Gate : uint8_t { silu, gelu_tanh };

inline float gate_f32(Gate g, float x) { return g == Gate::silu ? silu_f32(x) : gelu_tanh_f32(x); }

struct GatedLinear {
  Activations activations;
  Gate gate = Gate::silu;

  static constexpr std::string_view kName = "gated_linear";
  static constexpr double kTolerance = 0;  // own exp, defined order

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 1);
    expect_count(kName, "weights", s.weights.size(), 2);
    for (const Weight* w : s.weights) check_matrix(kName, *w, s.in[0].cols);
    expect_size(kName, "rows of the up matrix", s.weights[1]->n, s.weights[0]->n);
    return {{s.in[0].rows, s.weights[0]->n}};
  }

  void reference(const OpArgs& a) const {
    std::vector<float> up(size_t(a.out[0].rows * a.out[0].cols));
    linear_reference(a.in[0], *a.weights[0], nullptr, activations, a.out[0]);
    linear_reference(a.in[0], *a.weights[1], nullptr, activations, {up.data(), a.out[0].rows, a.out[0].cols});
    for (size_t i = 0; i < up.size(); ++i) a.out[0].data[i] = gate_f32(gate, a.out[0].data[i]) * up[i];
  }

  static std::vector<Case<GatedLinear>> cases();
};

}  // namespace loam
