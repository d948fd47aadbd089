// The definition of one weight row times activations, shared by the ops that multiply by matrices.
#pragma once
#include "core/ops/activations.h"
#include "core/ops/op.h"
#include "core/types/codec.h"

namespace loam {

// k per float accumulation of a quantized type with int8 activations.
inline int fold_size(const TypeInfo& type, const Activations& a) {
  const int block = type.block ? type.block : a.block;
  return std::min(a.block, block);  // both are at most 256
}

// One weight row taken apart once and used for many activation rows.
class WeightRow {
 public:
  WeightRow(const Weight& w, int64_t row, const Activations& a) : type_(*w.type), k_(w.k), activations_(a) {
    const std::byte* record = w.data + uint64_t(row / kTileRows) * row_block_bytes(type_, k_);
    if (uses_int8()) {
      unpack_row(type_, k_, record, int(row % kTileRows), fields_);
    } else {
      values_.resize(size_t(k_));
      dequantize_row(type_, k_, record, int(row % kTileRows), values_.data());
    }
  }

  bool uses_int8() const { return activations_.kind == Activations::Kind::int8 && type_.family != Family::plain; }

  // Float activations: one chain of fma in ascending k.
  float times(const float* x) const {
    float sum = 0;
    for (size_t i = 0; i < values_.size(); ++i) sum = std::fma(values_[i], x[i], sum);
    return sum;
  }

  // int8 activations: integers inside a fold, then one fma, in ascending k.
  float times(const QuantizedRow& x) const {
    float sum = 0, sum_e = 0;
    const int fold = fold_size(type_, activations_);
    for (size_t k0 = 0; k0 < fields_.codes.size(); k0 += size_t(fold)) {
      int32_t isum = 0, esum = 0;
      integers(x, k0, std::min(k0 + size_t(fold), fields_.codes.size()), isum, esum);
      const float a = x.scales[k0 / size_t(activations_.block)];
      const size_t b = type_.block ? k0 / type_.block : 0;
      sum = std::fma(float(isum), type_.block ? float_from_bits(type_.d, fields_.d[b]) * a : a, sum);
      if (has_e()) sum_e = std::fma(float(esum), type_.block ? float_from_bits(type_.e, fields_.e[b]) * a : a, sum_e);
    }
    if (!type_.block) sum *= float_from_bits(type_.d, fields_.d[0]);
    if (!type_.block && has_e()) sum_e *= float_from_bits(type_.e, fields_.e[0]);
    return has_e() ? sum - sum_e : sum;
  }

 private:
  bool has_e() const { return type_.e != FloatFormat::none; }

  void integers(const QuantizedRow& x, size_t begin, size_t end, int32_t& isum, int32_t& esum) const {
    for (size_t k = begin; k < end; ++k) {
      const size_t g = type_.group ? k / type_.group : 0;
      const int s = fields_.s.empty() ? 1 : fields_.s[g], m = fields_.m.empty() ? 0 : fields_.m[g];
      const int level = level_of(type_, fields_.codes[k], fields_.t.empty() ? 0 : fields_.t[g]);
      isum += (type_.family == Family::grid ? s * level - m : s * level) * x.codes[k];
      if (has_e()) esum += (fields_.m.empty() ? 1 : m) * x.codes[k];
    }
  }

  const TypeInfo& type_;
  int64_t k_;
  Activations activations_;
  RowFields fields_;
  std::vector<float> values_;
};

// out = x W^T (+ bias): the definition.
inline void linear_reference(const Matrix& x, const Weight& w, const Weight* bias, const Activations& a,
                             const Matrix& out) {
  std::vector<QuantizedRow> rounded;
  if (a.kind == Activations::Kind::int8) {
    for (int64_t r = 0; r < x.rows; ++r) rounded.emplace_back(x.row(r), x.cols, a.block);
  }
  for (int64_t n = 0; n < w.n; ++n) {
    const WeightRow row(w, n, a);
    for (int64_t r = 0; r < x.rows; ++r) {
      const float sum = row.uses_int8() ? row.times(rounded[size_t(r)]) : row.times(x.row(r));
      out.row(r)[n] = bias ? sum + bias->floats()[n] : sum;
    }
  }
}

inline void check_matrix(std::string_view op, const Weight& w, int64_t k) {
  if (w.vector || !w.type)
    fail(Code::bad_argument, "%.*s: expected a matrix, found a vector", int(op.size()), op.data());
  expect_size(op, "columns of the matrix", w.k, k);
}
inline void check_vector(std::string_view op, const Weight& w, int64_t n) {
  if (!w.vector) fail(Code::bad_argument, "%.*s: expected a vector, found a matrix", int(op.size()), op.data());
  expect_size(op, "length of the vector", w.n, n);
}

}  // namespace loam
