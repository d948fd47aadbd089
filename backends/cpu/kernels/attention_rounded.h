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
    for (int r = p.begin; r < p.end;) {
      const int part = r / m.part_rows, part_end = (part + 1) * m.part_rows, stop = part_end < p.end ? part_end : p.end;
      const int8_t* from = m.parts[part] + (r - part * m.part_rows) * row + (p.first + first) * vector;
      const ptrdiff_t ahead = m.parts[part + 1] - m.parts[part];
      for (; r < stop; ++r, x += 4, from += row) {
        Line y[V];
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
          y[v] = load_line(from + v * vector);
          if (kKeys && kPanelBias) y[v] = y[v] ^ bias;
          if (Q < kDotQueries) prefetch(from + v * vector + ahead);
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

template <bool kKeys, int Q>
void multiply(const DotProduct& p, const Parts<int8_t>& m, int width) {
  for_groups<kTileVectors>(width / 16, [&](int first, auto v) { dot_tile<kKeys, Q, v()>(p, m, first); });
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

// The work on one chunk.
struct RoundedChunk {
  const Call& call;
  const Attention& op;
  const QueryBlock& block;
  const AttentionScratch& s;
  int32_t base;  // first position of the chunk

  uint32_t page_of(int page) const { return block.row->pages[base / kPageTokens + page]; }
  const KvLayout& layout() const { return call.state.layout; }
  const int8_t* keys(int page) const {
    return reinterpret_cast<const int8_t*>(call.state.data + layout().keys(page_of(page), size_t(block.kv_head)));
  }
  const int8_t* values(int page) const { return keys(page) + kPageTokens * s.stride; }
  const float* key_scales(int page) const {
    return reinterpret_cast<const float*>(keys(page) + 2 * kPageTokens * s.stride);
  }
  const float* value_scales(int page) const { return key_scales(page) + kPageTokens; }

  template <int Q>
  void score_page(int query, int page, const int8_t* const* parts) const {
    const TileRange range = tiles_of(s, query, query + Q - 1, page);
    if (range.count <= 0) return;
    multiply<true, Q>(
        {reinterpret_cast<const int8_t*>(s.q + query * s.stride), s.stride * 4,
         s.scores + query * kScoreStride + range.first * 16, kScoreStride, range.first % (kPageTokens / 16), 0,
         int(s.stride / 4), s.starts + query, key_scales(page), s.q_scales + query},
        {parts, int(s.stride / 4), kPageTokens * 4, 64}, range.count * 16);
  }

  template <int Q>
  void add_values(int query, const int8_t* const* parts) const {
    const int begin = s.begins[query] / 4, end = (s.ends[query + Q - 1] + 3) / 4;
    multiply<false, Q>({s.codes + query * kCodeStride + begin * 4, kCodeStride, s.part + query * s.stride, s.stride, 0,
                        begin, end, nullptr, nullptr, s.steps + query},
                       {parts, kPageTokens / 4, s.stride * 4, 64}, int(s.stride));
  }

  // Scores of a query become weights, and those times the scales of the values codes of 14 bits in two parts, as
  // WeightCodes says; zeros in the other tiles from first to last.
  void round_weights(int query, int first, int last, const float* const* scales) const {
    float* weights = s.scores + query * kScoreStride;
    const int begin = s.begins[query], end = s.ends[query], own = begin / 16 * 16;
    soften(op, weights, begin, end, s.part_top[query], s.part_weight[query],
           [&](int t, F32x16 p) { return p * load(scales[t / kPageTokens] + t % kPageTokens); });
    I32x16 most = splat(int32_t(0));
    for (int t = own; t < end; t += 16) most = max(most, as_int(load(weights + t)) & splat(int32_t(0x7fffffff)));
    const uint32_t bits = max_lane(most);
    const float largest = __builtin_bit_cast(float, bits);
    const bool finite = bits < 0x7f800000u, none = !finite || largest < 1e-30f;
    s.steps[query] = !finite ? __builtin_bit_cast(float, 0x7fc00000u) : none ? 0.f : largest / 16383.f;
    const F32x16 inverse = splat(none ? 0.f : 16383.f / largest), magic = splat(12582912.f);
    int8_t* codes = s.codes + query * kCodeStride;
    for (int t = first; t < last; t += 16) {
      I32x16 code = splat(int32_t(0));  // else in the low bits, the others being those of `magic`
      if (!none && t >= own && t < end) code = as_int(fma(load(weights + t), inverse, magic));
      store_low_bytes(codes + t, shift_right<7>(code) & splat(int32_t(127)));
      store_low_bytes(codes + kAttentionChunk + t, code & splat(int32_t(127)));
    }
  }

  void run() const {
    const int queries = block.queries();
    set_limits(op, block, base, s);
    const int first_page = s.begins[0] / kPageTokens, end_page = (s.ends[queries - 1] + kPageTokens - 1) / kPageTokens;
    const bool more = base + kAttentionChunk <= block.position;
    const int8_t* parts[kAttentionChunk / kPageTokens + 1];
    const float* scales[kAttentionChunk / kPageTokens];
    for (int page = first_page; page < end_page; ++page) {
      const int8_t* const pair[] = {keys(page), page + 1 < end_page ? keys(page + 1) : values(first_page)};
      for_groups<kDotQueries>(queries, [&](int query, auto n) { score_page<n()>(query, page, pair); });
      parts[page] = values(page), scales[page] = value_scales(page);
    }
    parts[end_page] = more ? keys(end_page) : parts[end_page - 1];
    for (int j = 0; j < queries; ++j) round_weights(j, s.begins[0] / 16 * 16, s.ends[queries - 1], scales);
    for_groups<kDotQueries>(queries, [&](int query, auto n) { add_values<n()>(query, parts); });
  }
};

}  // namespace
}  // namespace loam::cpu::ISA
