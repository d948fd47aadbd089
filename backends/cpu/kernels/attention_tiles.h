// The two products of attention over one page: register tiles of several queries, so that keys and values are loaded
// once for all of them.
#pragma once
#include <type_traits>

#include "backends/cpu/kernel.h"

namespace loam::cpu::ISA {
namespace {

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

// Calls f(first, count) over `all` in even groups of at most Max; count is a constant.
template <int Max, class F>
LOAM_INLINE void for_groups(int all, F f) {
  int left = (all + Max - 1) / Max;
  for (int first = 0; left > 0; --left) {
    const int count = (all - first + left - 1) / left;
    with_constant<Max>(count, [&](auto n) { f(first, n); });
    first += count;
  }
}

// A matrix in memory: parts of `part_rows` rows of vectors. Of keys a part is a page, a row a d and a vector 16
// positions; of values a part is a page, a row a position and a vector 16 d.
template <class Number>
struct Parts {
  const Number* const* parts;  // and one more that is read next
  int part_rows;
  int64_t row, vector;  // distances
};

// One of the two products: queries x rows of the matrix, the rows a range of each query's own.
struct Product {
  const float* x;  // [query][x_stride], at row `begin`
  int64_t x_stride;
  float* out;
  int64_t out_stride;
  int first;                 // vector of the matrix
  int begin, end;            // rows of any query
  int common, common_end;    // rows of all queries; empty: common == common_end
  const int *begins, *ends;  // rows of each query
};

// out[query][v] = sum over rows of x[query][row] * m[row][v], one chain of fma in ascending rows.
// width: of the last vector, where it is not 16.
template <int Q, int V, bool Tail, class Number>
void multiply_tile(const Product& p, const Parts<Number>& m, int first, int width) {
  F32x16 sums[Q][V];
  const int64_t stride = p.x_stride, row = m.row, vector = m.vector;
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sums[j][v] = zero();
  }
  const float* x = p.x;
  for (int r = p.begin; r < p.end;) {
    const int part = r / m.part_rows, limit = r < p.common ? p.common : r < p.common_end ? p.common_end : p.end;
    const int part_end = (part + 1) * m.part_rows, stop = part_end < limit ? part_end : limit;
    const Number* from = m.parts[part] + (r - part * m.part_rows) * row + (p.first + first) * vector;
    const ptrdiff_t ahead = m.parts[part + 1] - m.parts[part];
    const auto add_rows = [&](auto all) {
      for (; r < stop; ++r, ++x, from += row) {
        F32x16 y[V];
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
          y[v] = Tail ? load_values(from, width) : load_values(from + v * vector);
          if (Q < kTileQueries) prefetch(from + v * vector + ahead);
        }
#pragma GCC unroll 16
        for (int j = 0; j < Q; ++j) {
          if (!all() && (r < p.begins[j] || r >= p.ends[j])) continue;
          const F32x16 a = splat(x[j * stride]);
#pragma GCC unroll 16
          for (int v = 0; v < V; ++v) sums[j][v] = fma(a, y[v], sums[j][v]);
        }
      }
    };
    if (r >= p.common && r < p.common_end)
      add_rows(std::true_type());
    else
      add_rows(std::false_type());
  }
  float* const out = p.out + first * 16;
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store(out + j * p.out_stride + v * 16, sums[j][v]);
  }
}

// The same for as many values of a row as `width` says.
template <int Q, class Number>
void multiply(const Product& p, const Parts<Number>& m, int width) {
  for_groups<kTileVectors>(width / 16, [&](int first, auto v) { multiply_tile<Q, v(), false>(p, m, first, 16); });
  if (width % 16) multiply_tile<Q, 1, true>(p, m, width / 16, width % 16);
}

}  // namespace
}  // namespace loam::cpu::ISA
