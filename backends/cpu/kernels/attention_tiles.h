// The two products of attention over one page: register tiles of several queries, so that keys and values are loaded
// once for all of them.
#pragma once
#include <bit>
#include <type_traits>

#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/prefetch_far.h"

namespace loam::cpu::ISA {
namespace {

LOAM_INLINE F32x16 load_values(const uint16_t* p) { return load_f16(p); }
LOAM_INLINE F32x16 load_values(const float* p) { return load(p); }

// Calls f(integral_constant<int, n>) for n in 1..Max.
template <int Max, class F>
LOAM_INLINE void with_constant(int n, F f) {
  if constexpr (Max > 1) {
    if (n < Max) return with_constant<Max - 1>(n, f);
  }
  f(std::integral_constant<int, Max>());
}

// Calls f(first, count) over `all` in even groups of at most Max.
template <int Max, class F>
LOAM_INLINE void for_groups(int all, F f) {
  int left = (all + Max - 1) / Max;
  for (int first = 0, count; left > 0; first += count, --left) f(first, count = (all - first + left - 1) / left);
}

// A matrix in memory: parts of 2^shift rows of vectors. Of keys a part is a page, a row a d and a vector 16
// positions; of values a part is a page, a row a position and a vector 16 d.
constexpr int kWhole = 24, kPageShift = std::countr_zero(unsigned(kPageTokens));  // of a matrix in one part; of values

template <class Number>
struct Parts {
  const Number* const* parts;  // and one more that is read next
  int shift;
  int64_t row, vector;  // distances
};

// One of the two products: queries x rows of the matrix.
struct Product {
  const float* x;  // [query][x_stride], at row `begin`
  int64_t x_stride;
  float* out;
  int64_t out_stride;
  int first, begin, end;  // vector and rows of the matrix
  bool more;              // goes on from what `out` holds
};

// out[query][v] = sum over rows of x[query][row] * m[row][v], one chain of fma in ascending rows.
template <int Q, int V, class Number>
void multiply_tile(const Product& p, const Parts<Number>& m, int first) {
  F32x16 sums[Q][V];
  const int64_t stride = p.x_stride, row = m.row, vector = m.vector, out_stride = p.out_stride;
  float* const out = p.out + first * 16;
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sums[j][v] = p.more ? load(out + j * out_stride + v * 16) : zero();
  }
  const float* x = p.x;
  int part = p.begin >> m.shift;
  for (int r = p.begin; r < p.end; ++part) {
    const int part_begin = part << m.shift, part_end = (part + 1) << m.shift,
              stop = part_end < p.end ? part_end : p.end;
    const Number* from = m.parts[part] + (r - part_begin) * row + (p.first + first) * vector;
    const ptrdiff_t ahead = m.parts[part + 1] - m.parts[part];
    for (; r < stop; ++r, ++x, from += row) {
      F32x16 y[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        y[v] = load_values(from + v * vector);
        if (Q < kTileQueries && v * 16 * sizeof(Number) % 64 == 0) prefetch_far(from + v * vector + ahead);
      }
#pragma GCC unroll 16
      for (int j = 0; j < Q; ++j) {
        const F32x16 a = splat(x[j * stride]);
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) sums[j][v] = fma(a, y[v], sums[j][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store(out + j * out_stride + v * 16, sums[j][v]);
  }
}

// The same for so many queries, and as many values of a row as `width` says, a multiple of 16.
template <class Number>
void multiply(int queries, const Product& p, const Parts<Number>& m, int width) {
  with_constant<kTileQueries>(queries, [&](auto q) {
    for_groups<kTileVectors>(width / 16, [&](int first, int v) {
      with_constant<kTileVectors>(v, [&](auto n) { multiply_tile<q(), n(), Number>(p, m, first); });
    });
  });
}

}  // namespace
}  // namespace loam::cpu::ISA
