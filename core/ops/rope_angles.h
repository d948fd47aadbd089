// rope_angles(): per row the cosines and sines of position * inverse_frequency[i], [cos | sin], each as long as the
// frequencies. Computed once per run and kind of layer. Su et al. 2021, RoFormer.
#pragma once
#include "core/ops/op.h"

namespace loam {

struct RopeAngles {
  std::vector<double> inverse_frequencies;

  static constexpr std::string_view kName = "rope_angles";
  static constexpr double kTolerance = 0;  // computed in double by our own sine

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 0);
    return {{RowCount::batch, int64_t(2 * inverse_frequencies.size())}};
  }

  void reference(const OpArgs& a) const {
    const size_t n = inverse_frequencies.size();
    for (size_t r = 0; r < a.run.rows.size(); ++r) angles(a.run.rows[r].position, a.out[0].row(int64_t(r)), n);
  }

  void angles(int32_t position, float* out, size_t n) const {
    for (size_t i = 0; i < n; ++i) {
      double sine, cosine;
      sin_cos(double(position) * inverse_frequencies[i], sine, cosine);
      out[i] = float(cosine);
      out[n + i] = float(sine);
    }
  }

  static std::vector<Case<RopeAngles>> cases() {
    return {{{{1.0, 0.1, 0.003}}, {}, {}, 5, 7}, {{std::vector<double>(32, 0.25)}, {}, {}, 17}, {{{1.0}}, {}, {}, 0}};
  }
};

}  // namespace loam
