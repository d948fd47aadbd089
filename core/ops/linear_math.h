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

// k per integer sum: of scaled types each group is multiplied by its own float.
inline int step_size(const TypeInfo& type, const Activations& a) {
  const int fold = fold_size(type, a);
  return type.family == Family::scaled && type.group ? std::min<int>(type.group, fold) : fold;
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

  // int8 activations: integers inside a step, floats over the steps of a fold, one fma per fold, all in ascending k.
  // D of types with one per row multiplies at the end where there is no E.
  float times(const QuantizedRow& x) const {
    float sum = 0;
    const size_t fold = size_t(fold_size(type_, activations_)), step = size_t(step_size(type_, activations_));
    for (size_t k0 = 0; k0 < fields_.codes.size(); k0 += fold) {
      const size_t end = std::min(k0 + fold, fields_.codes.size());
      float t = -0.f;  // the first fma is a product
      for (size_t k = k0; k < end; k += step) t = add_step(x, k, std::min(k + step, end), t);
      sum = std::fma(t, x.scales[k0 / size_t(activations_.block)], sum);
    }
    return d_at_end() ? sum * float_from_bits(type_.d, fields_.d[0]) : sum;
  }

 private:
  bool has_e() const { return type_.e != FloatFormat::none; }
  bool d_at_end() const { return type_.block == 0 && !has_e(); }

  // t + (D * s) * dot - (E * m) * sum of the activations begin..end, which lie in one step.
  float add_step(const QuantizedRow& x, size_t begin, size_t end, float t) const {
    const size_t b = type_.block ? begin / type_.block : 0, group = type_.group ? begin / type_.group : 0;
    const bool scaled = type_.family == Family::scaled;
    float scale = d_at_end() ? 1.f : float_from_bits(type_.d, fields_.d[b]);
    if (scaled && !fields_.s.empty()) scale *= float(fields_.s[group]);
    int32_t dot = 0, sum = 0;
    for (size_t k = begin; k < end; ++k) dot += integer_weight(k) * x.codes[k], sum += x.codes[k];
    t = std::fma(float(dot), scale, t);
    if (!has_e()) return t;
    const float e = float_from_bits(type_.e, fields_.e[b]);
    return std::fma(float(sum), -(fields_.m.empty() ? e : e * float(fields_.m[group])), t);
  }

  int integer_weight(size_t k) const {
    const size_t g = type_.group ? k / type_.group : 0;
    const int level = level_of(type_, fields_.codes[k], fields_.t.empty() ? 0 : fields_.t[g]);
    if (type_.family == Family::scaled) return level;
    return (fields_.s.empty() ? 1 : fields_.s[g]) * level - (fields_.m.empty() ? 0 : fields_.m[g]);
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
