// rms_norm(x [, y]; gain [, post_gain]): with y the residual is added first, sum = x + y (or x + norm(y) * post_gain),
// and both sum and norm(sum) * gain come out; without y only norm(x) * gain. Zhang & Sennrich 2019.
#pragma once
#include "core/ops/linear_math.h"

namespace loam {

// row / sqrt(mean of squares + eps) * gain; squares are summed in 16 lanes.
inline void rms_norm_row(const float* x, const float* gain, int64_t n, float eps, float* out) {
  float lanes[16] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i % 16] = std::fma(x[i], x[i], lanes[i % 16]);
  const float inverse = 1.f / std::sqrt(tree_sum(lanes) / float(n) + eps);
  for (int64_t i = 0; i < n; ++i) out[i] = x[i] * inverse * gain[i];
}

struct RmsNorm {
  float eps = 1e-5f;
  bool add = false;   // a second input is added first; outputs: sum, norm
  bool post = false;  // the second input is itself normed (weights: gain, post_gain)

  static constexpr std::string_view kName = "rms_norm";
  static constexpr double kTolerance = 0;  // sums run in defined lanes

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), add ? 2 : 1);
    expect_count(kName, "weights", s.weights.size(), post ? 2 : 1);
    if (post && !add) fail(Code::bad_argument, "rms_norm: post needs a second input");
    for (const Weight* w : s.weights) check_vector(kName, *w, s.in[0].cols);
    if (!add) return {s.in[0]};
    if (!(s.in[0] == s.in[1])) fail(Code::bad_argument, "rms_norm: the two inputs differ in shape");
    return {s.in[0], s.in[0]};
  }

  void reference(const OpArgs& a) const {
    const int64_t n = a.in[0].cols;
    for (int64_t r = 0; r < a.in[0].rows; ++r) {
      const float* x = a.in[0].row(r);
      if (add) {
        float* sum = a.out[0].row(r);
        std::vector<float> y(a.in[1].row(r), a.in[1].row(r) + n);
        if (post) rms_norm_row(a.in[1].row(r), a.weights[1]->floats(), n, eps, y.data());
        for (int64_t i = 0; i < n; ++i) sum[i] = x[i] + y[size_t(i)];
        x = sum;
      }
      rms_norm_row(x, a.weights[0]->floats(), n, eps, a.out[add ? 1 : 0].row(r));
    }
  }

  static std::vector<Case<RmsNorm>> cases() {
    std::vector<Case<RmsNorm>> all;
    for (int64_t n : {1, 7, 16, 31, 33, 576, 640}) all.push_back({{}, {n}, {{"", n}}, 3});
    for (int rows : {0, 1, 17}) all.push_back({{1e-6f, true, false}, {96, 96}, {{"", 96}}, rows});
    all.push_back({{1e-6f, true, true}, {65, 65}, {{"", 65}, {"", 65}}, 5});
    return all;
  }
};

}  // namespace loam
