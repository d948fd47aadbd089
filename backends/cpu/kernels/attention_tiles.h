// The two products of attention over one page: register tiles of several queries, so that keys and values are loaded
// once for all of them.
#pragma once
#include <type_traits>

#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kBlockQueries = 16;                   // that share keys and values: the lanes of a vector
constexpr int kScoreStride = kAttentionChunk + 16;  // floats; padded against cache aliasing
constexpr int64_t kQueryStride = kBlockQueries;     // queries lie [d][query]

LOAM_INLINE F32x16 load_values(const uint16_t* p) { return load_f16(p); }
LOAM_INLINE F32x16 load_values(const float* p) { return load(p); }
LOAM_INLINE F32x16 load_values(const uint16_t* p, int n) { return load_f16(p, n); }
LOAM_INLINE F32x16 load_values(const float* p, int n) { return load(p, n); }

// Calls f(integral_constant<int, n>) for n in 1..Max.
template <int Max, class F>
LOAM_INLINE void with_constant(int n, F f) {
  if constexpr (Max > 1) {
    if (n < Max) return with_constant<Max - 1>(n, f);
  }
  f(std::integral_constant<int, Max>());
}

// Calls f(first, count) over `all` queries in even groups of at most kTileQueries; count is a constant.
template <class F>
LOAM_INLINE void for_query_groups(int all, F f) {
  int left = (all + kTileQueries - 1) / kTileQueries;
  for (int first = 0; left > 0; --left) {
    const int count = (all - first + left - 1) / left;
    with_constant<kTileQueries>(count, [&](auto n) { f(first, n); });
    first += count;
  }
}

// Scores of Q queries (from q, [d][16]) with T tiles of 16 keys: out[query][position], one chain of fma over d.
template <int Q, int T, class Kv>
LOAM_INLINE void tile_scores(const float* q, const Kv* keys, int64_t dims, float* out) {
  F32x16 sums[Q][T];
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) sums[j][t] = zero();
  }
  for (int64_t d = 0; d < dims; ++d) {
    F32x16 k[T];
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) k[t] = load_values(keys + (t * dims + d) * 16);
#pragma GCC unroll 16
    for (int j = 0; j < Q; ++j) {
      const F32x16 x = splat(q[d * kQueryStride + j]);
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) sums[j][t] = fma(x, k[t], sums[j][t]);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) store(out + j * kScoreStride + t * 16, sums[j][t]);
  }
}

// sums[query][0..16 V) += p[query][t] * values[t], t ascending, over `count` positions. Tail: only `width` of 16
// values.
template <int Q, int V, bool Tail, class Kv>
LOAM_INLINE void tile_values(const float* p, const Kv* values, int64_t dims, int count, int width, float* sums,
                             int64_t stride) {
  F32x16 s[Q][V];
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int i = 0; i < V; ++i) s[j][i] = load(sums + j * stride + i * 16);
  }
  for (int t = 0; t < count; ++t) {
    F32x16 v[V];
#pragma GCC unroll 16
    for (int i = 0; i < V; ++i)
      v[i] = Tail ? load_values(values + t * dims, width) : load_values(values + t * dims + i * 16);
#pragma GCC unroll 16
    for (int j = 0; j < Q; ++j) {
      const F32x16 x = splat(p[j * kScoreStride + t]);
#pragma GCC unroll 16
      for (int i = 0; i < V; ++i) s[j][i] = fma(x, v[i], s[j][i]);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int i = 0; i < V; ++i) store(sums + j * stride + i * 16, s[j][i]);
  }
}

// Scores of `queries` queries with tiles [tile, last) of one page.
template <class Kv>
void page_scores(const float* q, int queries, const Kv* keys, int64_t dims, int tile, int last, float* out) {
  while (tile < last) {
    const int tiles = last - tile >= kTileVectors ? kTileVectors : 1;
    const Kv* from = keys + tile * 16 * dims;
    for_query_groups(queries, [&](int first, auto n) {
      float* to = out + first * kScoreStride;
      if (tiles == kTileVectors)
        tile_scores<n(), kTileVectors>(q + first, from, dims, to);
      else
        tile_scores<n(), 1>(q + first, from, dims, to);
    });
    tile += tiles;
    out += tiles * 16;
  }
}

// Adds `count` weighted values of one page for `queries` queries.
template <class Kv>
void page_values(const float* p, int queries, const Kv* values, int64_t dims, int count, float* sums, int64_t stride) {
  for (int64_t d = 0; d < dims;) {
    const int vectors = dims - d >= kTileVectors * 16 ? kTileVectors : 1;
    const int width = dims - d < 16 ? int(dims - d) : 16;
    for_query_groups(queries, [&](int first, auto n) {
      const float* from = p + first * kScoreStride;
      float* to = sums + first * stride + d;
      if (width < 16)
        tile_values<n(), 1, true>(from, values + d, dims, count, width, to, stride);
      else if (vectors == kTileVectors)
        tile_values<n(), kTileVectors, false>(from, values + d, dims, count, 16, to, stride);
      else
        tile_values<n(), 1, false>(from, values + d, dims, count, 16, to, stride);
    });
    d += vectors * 16;
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
