// select_rows(x, ...): of each input the rows whose outputs were asked for.
#pragma once
#include "core/ops/op.h"

namespace loam {

struct SelectRows {
  static constexpr std::string_view kName = "select_rows";
  static constexpr double kTolerance = 0;  // a copy

  std::vector<ValueShape> shape(const OpShapes& s) const {
    if (s.in.empty()) fail(Code::bad_argument, "select_rows: no input");
    std::vector<ValueShape> out;
    for (const ValueShape& v : s.in) {
      if (v.rows != RowCount::batch) fail(Code::bad_argument, "select_rows: rows were selected before");
      out.push_back({RowCount::outputs, v.cols});
    }
    return out;
  }

  void reference(const OpArgs& a) const {
    for (size_t i = 0; i < a.in.size(); ++i) {
      for (size_t r = 0; r < a.run.outputs.size(); ++r) {
        const float* from = a.in[i].row(a.run.outputs[r]);
        std::copy(from, from + a.in[i].cols, a.out[i].row(int64_t(r)));
      }
    }
  }

  static std::vector<Case<SelectRows>> cases() {
    return {{{}, {33, 5}, {}, 9, 0, {}, {0, 3, 8}}, {{}, {64}, {}, 1}, {{}, {16}, {}, 4, 0, {}, {2}}};
  }
};

}  // namespace loam
