// activate(x): an elementwise function.
#pragma once
#include "core/ops/gated_linear.h"

namespace loam {

struct Activate {
  enum class Function : uint8_t { relu, silu, gelu_tanh } function = Function::relu;

  static constexpr std::string_view kName = "activate";
  static constexpr double kTolerance = 0;  // own exp

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 1);
    expect_count(kName, "weights", s.weights.size(), 0);
    return {s.in[0]};
  }

  float value(float x) const {
    if (function == Function::relu) return x < 0 ? 0.f : x;  // NaN passes
    return gate_f32(function == Function::silu ? Gate::silu : Gate::gelu_tanh, x);
  }

  void reference(const OpArgs& a) const {
    for (int64_t i = 0; i < a.in[0].rows * a.in[0].cols; ++i) a.out[0].data[i] = value(a.in[0].data[i]);
  }

  static std::vector<Case<Activate>> cases() {
    std::vector<Case<Activate>> all;
    for (Function f : {Function::relu, Function::silu, Function::gelu_tanh}) {
      all.push_back({{f}, {33}, {}, 5});
      all.push_back({{f}, {1}, {}, 1});
    }
    return all;
  }
};

}  // namespace loam
