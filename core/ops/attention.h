// attention(q): softmax(scale q K^T) V over the row's sequence up to its own position, optionally only the last
// `window` positions, optionally with soft-capped scores. Grouped queries: head h reads kv head h / (heads / kv_heads).
// Scores are kept in units of ln 2, so that weights are powers of two.
// Partial softmaxes over chunks of 256 absolute positions are merged in ascending order (Dao et al. 2022), so that the
// result does not depend on how a prompt was split.
// Keys and values of 8 bits: queries are rounded to int8 per head, and the weights of a chunk (times the values'
// scales) to 14 bits; both products are then sums of integers.
#pragma once
#include <limits>

#include "core/ops/activations.h"
#include "core/ops/op.h"

namespace loam {

// How the weights of a chunk are rounded to 14 bits, by the largest of them.
struct WeightCodes {
  float step = 0, inverse = 0;

  explicit WeightCodes(float largest) {
    const bool finite = largest < std::numeric_limits<float>::infinity();
    if (!finite) step = std::bit_cast<float>(0x7fc00000u);
    if (!finite || largest < 1e-30f) return;
    step = largest / 16383.f, inverse = 16383.f / largest;
  }
  int32_t of(float weight) const {
    return inverse == 0 ? 0 : int32_t(std::bit_cast<uint32_t>(std::fma(weight, inverse, 12582912.f))) - 0x4b400000;
  }
};

struct Attention {
  int heads = 1, kv_heads = 1, head_dim = 2;
  float scale = 1;
  int64_t window = 0;  // 0: all positions
  float softcap = 0;   // 0: none; else softcap * tanh(score / softcap)

  static constexpr std::string_view kName = "attention";
  static constexpr double kTolerance = 0;  // chunks, lanes and chains are defined
  static constexpr float kLog2e = 1.44269504f;

  std::vector<ValueShape> shape(const OpShapes& s) const {
    expect_count(kName, "inputs", s.in.size(), 1);
    expect_count(kName, "weights", s.weights.size(), 0);
    expect_size(kName, "columns of q", s.in[0].cols, int64_t(heads) * head_dim);
    if (kv_heads <= 0 || heads % kv_heads)
      fail(Code::bad_argument, "attention: %d heads do not share %d kv heads", heads, kv_heads);
    if (!s.has_state || s.state.kv_heads != kv_heads || s.state.head_dim != head_dim)
      fail(Code::bad_argument, "attention: the state does not hold %d heads of %d values", kv_heads, head_dim);
    return {s.in[0]};
  }

  // First position that a row at `position` sees.
  int32_t first_position(int32_t position) const {
    return window > 0 && position >= window ? int32_t(position - window + 1) : 0;
  }

  // What queries are multiplied with beforehand.
  float query_scale() const { return softcap == 0 ? scale * kLog2e : scale; }

  // tanh(x) = 1 - 2 / (e^2x + 1)
  float capped(float score) const {
    if (softcap == 0) return score;
    return softcap * (1.f - 2.f / (exp_f32(2.f * (score / softcap)) + 1.f)) * kLog2e;
  }

  void reference(const OpArgs& a) const {
    for (size_t r = 0; r < a.run.rows.size(); ++r) {
      for (int h = 0; h < heads; ++h)
        head(a, a.run.rows[r], size_t(h), a.in[0].row(int64_t(r)) + h * head_dim,
             a.out[0].row(int64_t(r)) + h * head_dim);
    }
  }

  void head(const OpArgs& a, const Row& row, size_t h, const float* q, float* out) const {
    const size_t kv_head = h / size_t(heads / kv_heads), dims = size_t(head_dim);
    float top = 0, weight = 0;  // of all chunks so far
    std::vector<float> sum(dims), part(dims), scaled(q, q + dims);
    for (float& x : scaled) x *= query_scale();
    const int32_t first = first_position(row.position), end = row.position + 1;
    for (int32_t begin = first; begin < end;) {
      const int32_t stop = std::min(end, (begin / kAttentionChunk + 1) * kAttentionChunk);
      float part_top, part_weight;
      chunk(a.state, row, kv_head, scaled.data(), begin, stop, part_top, part_weight, part.data());
      if (begin == first) {
        top = part_top, weight = part_weight, sum = part;
      } else {
        const float highest = std::max(top, part_top), x = exp2_f32(top - highest), y = exp2_f32(part_top - highest);
        weight = std::fma(weight, x, part_weight * y);
        for (size_t d = 0; d < dims; ++d) sum[d] = std::fma(sum[d], x, part[d] * y);
        top = highest;
      }
      begin = stop;
    }
    for (size_t d = 0; d < dims; ++d) out[d] = sum[d] / weight;
  }

  // Positions [begin, stop) of one chunk: the largest score, the sum of weights (16 lanes by position), and the sum of
  // weighted values (one chain of fma per d, ascending).
  void chunk(const State& state, const Row& row, size_t kv_head, const float* q, int32_t begin, int32_t stop,
             float& top, float& weight, float* sum) const {
    const KvLayout& l = state.layout;
    float scores[kAttentionChunk], lanes[16] = {};
    top = -std::numeric_limits<float>::infinity();
    std::vector<int8_t> codes(size_t(head_dim), 0);
    const float q_scale = l.type == KvType::q8 ? quantize_activations(q, head_dim, codes.data()) : 1;
    for (int32_t t = begin; t < stop; ++t) {
      const size_t page = row.pages[t / kPageTokens], slot = size_t(t % kPageTokens);
      const std::byte* keys = state.data + l.keys(page, kv_head);
      float score = 0;
      if (l.type == KvType::q8) {  // exact: below 2^24
        for (size_t d = 0; d < size_t(head_dim); ++d)
          score += float(codes[d]) * load_kv(l.type, keys, l.key_index(slot, d));
        score = score * scales(state, l.key_scales(page, kv_head))[slot] * q_scale;
      } else {
        for (size_t d = 0; d < size_t(head_dim); ++d)
          score = std::fma(q[d], load_kv(l.type, keys, l.key_index(slot, d)), score);
      }
      scores[t - begin] = capped(score);
      top = scores[t - begin] > top || scores[t - begin] != scores[t - begin] ? scores[t - begin] : top;
    }
    for (int32_t t = begin; t < stop; ++t) {
      scores[t - begin] = exp2_f32(scores[t - begin] - top);
      lanes[t % 16] += scores[t - begin];
    }
    weight = tree_sum(lanes);
    std::fill(sum, sum + head_dim, 0.f);
    if (l.type == KvType::q8) return add_rounded(state, row, kv_head, scores, begin, stop, sum);
    for (int32_t t = begin; t < stop; ++t) {
      const size_t page = row.pages[t / kPageTokens], slot = size_t(t % kPageTokens);
      const std::byte* values = state.data + l.values(page, kv_head);
      for (size_t d = 0; d < size_t(head_dim); ++d)
        sum[d] = std::fma(scores[t - begin], load_kv(l.type, values, l.value_index(slot, d)), sum[d]);
    }
  }

  static const float* scales(const State& state, size_t offset) {
    return reinterpret_cast<const float*>(state.data + offset);
  }

  // Values of 8 bits. Weights times scales become codes 0 .. 16383 of the largest; NaN or infinity poisons them all.
  void add_rounded(const State& state, const Row& row, size_t kv_head, float* weights, int32_t begin, int32_t stop,
                   float* sum) const {
    const KvLayout& l = state.layout;
    uint32_t largest = 0;
    for (int32_t t = begin; t < stop; ++t) {
      weights[t - begin] *= scales(state, l.value_scales(row.pages[t / kPageTokens], kv_head))[t % kPageTokens];
      largest = std::max(largest, std::bit_cast<uint32_t>(weights[t - begin]) & 0x7fffffffu);
    }
    const WeightCodes codes(std::bit_cast<float>(largest));
    for (size_t d = 0; d < size_t(head_dim); ++d) {
      int32_t total = 0;
      for (int32_t t = begin; t < stop; ++t) {
        const std::byte* values = state.data + l.values(row.pages[t / kPageTokens], kv_head);
        total +=
            codes.of(weights[t - begin]) * int32_t(load_kv(l.type, values, l.value_index(size_t(t % kPageTokens), d)));
      }
      sum[d] = float(total) * codes.step;
    }
  }

  static std::vector<Case<Attention>> cases() {
    std::vector<Case<Attention>> all;
    for (KvType type : {KvType::f16, KvType::f32, KvType::q8}) {
      all.push_back({{4, 2, 16, 0.25f}, {64}, {}, 3, 61, {type, 2, 16}});
      all.push_back({{3, 1, 64, 0.125f}, {192}, {}, 33, 240, {type, 1, 64}});
      all.push_back({{2, 1, 80, 0.1f, 40}, {160}, {}, 65, 300, {type, 1, 80}});
      all.push_back({{2, 2, 10, 0.3f, 0, 5.f}, {20}, {}, 4, 0, {type, 2, 10}});
      all.push_back({{1, 1, 256, 0.0625f, 512}, {256}, {}, 1, 700, {type, 1, 256}});
      all.push_back({{8, 2, 32, 0.2f, 1}, {256}, {}, 7, 255, {type, 2, 32}});
      all.push_back({{2, 1, 16, 0.2f}, {32}, {}, 0, 3, {type, 1, 16}});
      for (int dims : {64, 80, 96, 128, 192, 256})
        all.push_back({{3, 1, dims, 0.1f}, {3 * dims}, {}, 5, 253, {type, 1, dims}});
    }
    return all;
  }
};

}  // namespace loam
