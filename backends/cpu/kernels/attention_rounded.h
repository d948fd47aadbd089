// Attention of one block in one chunk of positions with keys and values of 8 bits: both products are dots of bytes.
#pragma once
#include "backends/cpu/kernels/attention_block.h"
#include "backends/cpu/kernels/linear_round.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kDotQueries = kTileVectors > 1 || kTileQueries < 4 ? kTileQueries : 4;

// One of the two products. A row is four d (positions), for which a query has four codes.
struct DotProduct {
  const int8_t* x;  // [query][x_stride], at row `begin`; of weights the high parts, the low ones kAttentionChunk after
  int64_t x_stride;
  float* out;
  int64_t out_stride;
  int first, begin, end;  // vector and rows of the matrix
  const int32_t* starts;  // of the sums of each query, for keys
  const float* scales;    // of positions, for keys
  const float* steps;     // of queries
};

template <bool kKeys, int Q, int V>
LOAM_INLINE void store_dots(const DotProduct& p, int first, const I32x16 (&sums)[Q][V]) {
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      F32x16 sum = to_float(sums[j][v]);
      if (kKeys) sum = sum * load(p.scales + (p.first + first + v) * 16);
      store(p.out + j * p.out_stride + (first + v) * 16, sum * splat(p.steps[j]));
    }
  }
}

template <bool kKeys, int Q, int V>
void dot_tile(const DotProduct& p, const Parts<int8_t>& m, int first) {
  const int64_t stride = p.x_stride, row = m.row, vector = m.vector;
  const Line bias = splat_byte(kPanelBias);
  I32x16 sums[Q][V];
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sums[j][v] = splat(kKeys ? p.starts[j] : 0);
  }
  for (int pass = 0; pass < (kKeys ? 1 : 2); ++pass) {
    const int8_t* x = p.x + pass * kAttentionChunk;
    if (pass) {
#pragma GCC unroll 16
      for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) sums[j][v] = shift_left<7>(sums[j][v]);
      }
    }
    int part = p.begin >> m.shift;
    for (int r = p.begin; r < p.end; ++part) {
      const int part_begin = part << m.shift, part_end = (part + 1) << m.shift,
                stop = part_end < p.end ? part_end : p.end;
      const int8_t* from = m.parts[part] + (r - part_begin) * row + (p.first + first) * vector;
      const ptrdiff_t ahead = m.parts[part + 1] - m.parts[part];
      for (; r < stop; ++r, x += 4, from += row) {
        Line y[V];
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
          y[v] = load_line(from + v * vector);
          if (kKeys && kPanelBias) y[v] = y[v] ^ bias;
          if (Q < kDotQueries) prefetch_far(from + v * vector + ahead);
        }
#pragma GCC unroll 16
        for (int j = 0; j < Q; ++j) {
          const Line a = splat_word(x + j * stride);
#pragma GCC unroll 16
          for (int v = 0; v < V; ++v)
            sums[j][v] = kKeys ? dot<kSignedDots>(sums[j][v], y[v], a) : dot<false>(sums[j][v], a, y[v]);
        }
      }
    }
  }
  store_dots<kKeys>(p, first, sums);
}

template <bool kKeys>
void multiply_codes(int queries, const DotProduct& p, const Parts<int8_t>& m, int width) {
  with_constant<kDotQueries>(queries, [&](auto q) {
    for_groups<kTileVectors>(width / 16, [&](int first, int v) {
      with_constant<kTileVectors>(v, [&](auto n) { dot_tile<kKeys, q(), n()>(p, m, first); });
    });
  });
}

// Scaled queries, as floats in s.q, become codes in their place.
LOAM_INLINE void round_queries(const AttentionScratch& s, int queries) {
  for (int j = 0; j < queries; ++j) {
    float* q = s.q + j * s.stride;
    int32_t total = 0;
    s.q_scales[j] = round_block(q, s.stride, reinterpret_cast<int8_t*>(q), [&](int64_t, int32_t sum) { total += sum; });
    s.starts[j] = -kPanelBias * total;
  }
}

struct RoundedChunk : Chunk {
  static constexpr int kQueries = kDotQueries;

  const float* key_scales(int page) const { return reinterpret_cast<const float*>(keys(page) + 2 * head_bytes()); }
  const float* value_scales(int page) const { return key_scales(page) + kPageTokens; }

  // Scores of query j of a group become weights, and those times the scales of the values codes of 14 bits in two
  // parts, as WeightCodes says; zeros in the other tiles from first to last.
  void round_weights(int j, int begin, int end, int first, int last, float* record) const {
    float* weights = s.scores + j * kScoreStride;
    const int own = begin / 16 * 16;
    soften(op, weights, begin, end, record,
           [&](int t, F32x16 p) { return p * load(value_scales(t / kPageTokens) + t % kPageTokens); });
    I32x16 most = splat(int32_t(0));
    for (int t = own; t < end; t += 16) most = max(most, as_int(load(weights + t)) & splat(int32_t(0x7fffffff)));
    const uint32_t bits = max_lane(most);
    const float largest = __builtin_bit_cast(float, bits);
    const bool finite = bits < 0x7f800000u, none = !finite || largest < 1e-30f;
    s.steps[j] = !finite ? __builtin_bit_cast(float, 0x7fc00000u) : none ? 0.f : largest / 16383.f;
    const F32x16 inverse = splat(none ? 0.f : 16383.f / largest), magic = splat(12582912.f);
    int8_t* codes = s.codes + j * kCodeStride;
    for (int t = first; t < last; t += 16) {
      I32x16 code = splat(int32_t(0));  // else in the low bits, the others being those of `magic`
      if (!none && t >= own && t < end) code = as_int(fma(load(weights + t), inverse, magic));
      store_low_bytes(codes + t, shift_right<7>(code) & splat(int32_t(127)));
      store_low_bytes(codes + kAttentionChunk + t, code & splat(int32_t(127)));
    }
  }

  void group(int query, int count) const {
    const auto score = [&](int page, TileRange range, const int8_t* const* keys_ahead) {
      multiply_codes<true>(count,
                           {reinterpret_cast<const int8_t*>(s.q + query * s.stride), s.stride * 4,
                            s.scores + range.first * 16, kScoreStride, range.first % (kPageTokens / 16), 0,
                            int(s.stride / 4), s.starts + query, key_scales(page), s.q_scales + query},
                           {keys_ahead, kWhole, kPageTokens * 4, 64}, range.count * 16);
    };
    walk<int8_t>(query, count, score, [&](const int8_t* const* parts, float* to, int64_t to_step) {
      const int begin = s.begins[query], end = s.ends[query + count - 1];
      for (int j = 0; j < count; ++j)
        round_weights(j, s.begins[query + j], s.ends[query + j], begin / 16 * 16, end, to + j * to_step);
      multiply_codes<false>(count,
                            {s.codes + begin / 4 * 4, kCodeStride, to + 16, to_step, 0, begin / 4, (end + 3) / 4,
                             nullptr, nullptr, s.steps},
                            {parts, kPageShift - 2, s.stride * 4, 64}, int(s.stride));
    });
  }
};

}  // namespace
}  // namespace loam::cpu::ISA
