// rope_kv(q, k, v, angles [; q_norm, k_norm]): queries and keys are normed per head (where the model does), rotated by
// the row's angles, and keys and values written to the layer's pages. Out: the queries.
#pragma once
#include "core/ops/activations.h"
#include "core/ops/rms_norm.h"

namespace loam {

enum class RopePairing : uint8_t { half, interleaved };  // (i, i + d/2) or (2i, 2i + 1)

// Rotates one head in place; angles: [cos | sin], each of head_dim / 2.
inline void rope_head(RopePairing pairing, const float* angles, int64_t head_dim, float* x) {
  const int64_t n = head_dim / 2;
  for (int64_t i = 0; i < n; ++i) {
    float& a = x[pairing == RopePairing::half ? i : 2 * i];
    float& b = x[pairing == RopePairing::half ? i + n : 2 * i + 1];
    const float c = angles[i], s = angles[n + i], a0 = a, b0 = b;
    a = std::fma(a0, c, -(b0 * s));
    b = std::fma(b0, c, a0 * s);
  }
}

struct RopeKv {
  int heads = 1, kv_heads = 1, head_dim = 2;
  RopePairing pairing = RopePairing::half;
  bool norm = false;  // weights: q_norm, k_norm, head_dim each
  float eps = 1e-5f;

  static constexpr std::string_view kName = "rope_kv";
  static constexpr double kTolerance = 0;  // products and sums in a defined order

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 4);
    expect_count(kName, "weights", s.weights.size(), norm ? 2 : 0);
    expect_size(kName, "columns of q", s.in[0].cols, int64_t(heads) * head_dim);
    expect_size(kName, "columns of k", s.in[1].cols, int64_t(kv_heads) * head_dim);
    expect_size(kName, "columns of v", s.in[2].cols, int64_t(kv_heads) * head_dim);
    expect_size(kName, "columns of angles", s.in[3].cols, head_dim);
    for (const Weight* w : s.weights) check_vector(kName, *w, head_dim);
    if (!s.has_state || s.state.kv_heads != kv_heads || s.state.head_dim != head_dim)
      fail(Code::bad_argument, "rope_kv: the state does not hold %d heads of %d values", kv_heads, head_dim);
    return {s.in[0]};
  }

  // One head of one row: normed and rotated into out.
  void head(const float* x, const float* gain, const float* angles, float* out) const {
    if (norm)
      rms_norm_row(x, gain, head_dim, eps, out);
    else
      std::copy(x, x + head_dim, out);
    rope_head(pairing, angles, head_dim, out);
  }

  void reference(const OpArgs& a) const {
    const float* q_gain = norm ? a.weights[0]->floats() : nullptr;
    const float* k_gain = norm ? a.weights[1]->floats() : nullptr;
    std::vector<float> key(static_cast<size_t>(head_dim));
    for (size_t r = 0; r < a.run.rows.size(); ++r) {
      const int64_t i = int64_t(r);
      const float* angles = a.in[3].row(i);
      for (int h = 0; h < heads; ++h)
        head(a.in[0].row(i) + h * head_dim, q_gain, angles, a.out[0].row(i) + h * head_dim);
      for (int h = 0; h < kv_heads; ++h) {
        head(a.in[1].row(i) + h * head_dim, k_gain, angles, key.data());
        write(a, a.run.rows[r], size_t(h), key.data(), a.in[2].row(i) + h * head_dim);
      }
    }
  }

  void write(const OpArgs& a, const Row& row, size_t h, const float* key, const float* value) const {
    const KvLayout& l = a.state.layout;
    const size_t page = row.pages[row.position / kPageTokens], slot = size_t(row.position % kPageTokens);
    if (l.type == KvType::q8) {
      write_q8(key, l, a.state.data + l.keys(page, h), slot, a.state.data + l.key_scales(page, h),
               &KvLayout::key_index);
      return write_q8(value, l, a.state.data + l.values(page, h), slot, a.state.data + l.value_scales(page, h),
                      &KvLayout::value_index);
    }
    for (size_t d = 0; d < size_t(head_dim); ++d) {
      store_kv(l.type, a.state.data + l.keys(page, h), l.key_index(slot, d), key[d]);
      store_kv(l.type, a.state.data + l.values(page, h), l.value_index(slot, d), value[d]);
    }
  }

  // Codes as of activations, one scale for the head; zeros where d is padded.
  void write_q8(const float* x, const KvLayout& l, std::byte* codes, size_t slot, std::byte* scales,
                size_t (KvLayout::*index)(size_t, size_t) const) const {
    std::vector<int8_t> rounded(l.dims(), 0);
    reinterpret_cast<float*>(scales)[slot] = quantize_activations(x, head_dim, rounded.data());
    for (size_t d = 0; d < l.dims(); ++d) store_kv(l.type, codes, (l.*index)(slot, d), rounded[d]);
  }

  static std::vector<Case<RopeKv>> cases() {
    std::vector<Case<RopeKv>> all;
    for (KvType type : {KvType::f16, KvType::f32, KvType::q8}) {
      all.push_back({{4, 2, 16, RopePairing::half, false, 1e-5f}, {64, 32, 32, 16}, {}, 3, 62, {type, 2, 16}});
      all.push_back({{3, 1, 64, RopePairing::interleaved, false, 1e-5f}, {192, 64, 64, 64}, {}, 70, 5, {type, 1, 64}});
      all.push_back({{2, 2, 256, RopePairing::half, true, 1e-6f},
                     {512, 512, 512, 256},
                     {{"", 256}, {"", 256}},
                     2,
                     0,
                     {type, 2, 256}});
      all.push_back(
          {{2, 1, 10, RopePairing::half, true, 1e-6f}, {20, 10, 10, 10}, {{"", 10}, {"", 10}}, 1, 130, {type, 1, 10}});
      all.push_back({{2, 1, 10, RopePairing::half, false, 1e-6f}, {20, 10, 10, 10}, {}, 0, 0, {type, 1, 10}});
    }
    return all;
  }
};

}  // namespace loam
