// embed(; E): row `token` of the embedding matrix, times scale; a row's given embedding (token -1) passes as it is.
#pragma once
#include "core/ops/linear_math.h"

namespace loam {

struct Embed {
  float scale = 1;

  static constexpr std::string_view kName = "embed";
  static constexpr double kTolerance = 0;  // one multiplication

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 0);
    expect_count(kName, "weights", s.weights.size(), 1);
    if (s.weights[0]->vector) fail(Code::bad_argument, "embed: expected a matrix, found a vector");
    return {{RowCount::batch, s.weights[0]->k}};
  }

  void reference(const OpArgs& a) const {
    const Weight& e = *a.weights[0];
    for (size_t r = 0; r < a.run.rows.size(); ++r) {
      float* out = a.out[0].row(int64_t(r));
      const Row& row = a.run.rows[r];
      if (row.token < 0) {
        std::copy(row.embedding, row.embedding + e.k, out);
        continue;
      }
      dequantize_row(*e.type, e.k, e.data + uint64_t(row.token / kTileRows) * row_block_bytes(*e.type, e.k),
                     row.token % int(kTileRows), out);
      for (int64_t i = 0; i < e.k; ++i) out[i] *= scale;
    }
  }

  static std::vector<Case<Embed>> cases();
};

}  // namespace loam
