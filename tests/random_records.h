// Random weights as raw records with all values that the fields of a type can hold, and random activations.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core/ops/op.h"
#include "core/types/codec.h"
#include "core/types/float_bits.h"

namespace loam::random_records {

using Random = std::mt19937_64;
inline int below(Random& random, int n) { return int(random() % uint64_t(n)); }
template <class T>
T pick(Random& random, std::initializer_list<T> from) {
  return from.begin()[below(random, int(from.size()))];
}

struct Bytes {  // 64-byte aligned, filled so that reading what nobody wrote shows
  explicit Bytes(size_t n, int fill = 0xa5)
      : size(n), data(static_cast<std::byte*>(std::aligned_alloc(64, (n + 127) / 64 * 64)), std::free) {
    std::memset(data.get(), fill, (n + 127) / 64 * 64);
  }
  size_t size;
  std::unique_ptr<std::byte, decltype(&std::free)> data;
};

inline int random_int(Random& random, IntFormat format) {
  switch (format) {
    case IntFormat::none: return 0;
    case IntFormat::u4: return below(random, 16);
    case IntFormat::u6: return below(random, 64);
    case IntFormat::u8: return below(random, 256);
    case IntFormat::i6: return below(random, 64) - 32;
    case IntFormat::i8: return below(random, 256) - 128;
    case IntFormat::st8: return below(random, 127) - 63;
    case IntFormat::st5: return below(random, 15) - 7;
  }
  return 0;
}

inline float random_scale(Random& random) {
  const int kind = below(random, 20);
  if (kind == 0) return 0.f;
  if (kind == 1) return 3e-8f * float(1 + below(random, 900));  // subnormal in f16
  const float x = std::ldexp(1.f + float(below(random, 1024)) / 1024, below(random, 12) - 10);
  return kind < 8 ? -x : x;
}

// s and m such that every level's v is an int8, which is what the types of the grid promise.
inline void fit_grid(Random& random, const TypeInfo& type, int t, int16_t& s, int16_t& m) {
  for (int tries = 0; tries < 50; ++tries) {
    s = int16_t(random_int(random, type.s)), m = int16_t(random_int(random, type.m));
    bool fits = true;
    for (int code = 0; code < 1 << type.bits; ++code) {
      const int v = (type.s == IntFormat::none ? 1 : s) * level_of(type, code, t) - m;
      fits = fits && v >= -128 && v <= 127;
    }
    if (fits) return;
  }
  s = 1, m = 0;
}

inline RowFields random_fields(Random& random, const TypeInfo& type, int64_t k) {
  RowFields f;
  f.resize(type, k);
  for (auto& c : f.codes) c = uint8_t(random() & ((1u << type.bits) - 1));
  if (below(random, 6) == 0) {  // the largest sums
    std::fill(f.codes.begin(), f.codes.end(), uint8_t(pick(random, {0, (1 << type.bits) - 1})));
  }
  const bool has_t = type.s == IntFormat::st8 || type.s == IntFormat::st5;
  for (size_t g = 0; g < f.t.size(); ++g) {
    f.t[g] = has_t ? uint8_t(random() & 1) : 0;
    int16_t s = int16_t(random_int(random, type.s)), m = int16_t(random_int(random, type.m));
    if (type.family == Family::grid) fit_grid(random, type, f.t[g], s, m);
    if (!f.s.empty()) f.s[g] = s;
    if (!f.m.empty()) f.m[g] = m;
  }
  const bool bytes = type.d == FloatFormat::e8m0_half;
  for (auto& d : f.d) d = bytes ? uint32_t(below(random, 160)) : float_to_bits(type.d, random_scale(random));
  for (auto& e : f.e) e = float_to_bits(type.e, random_scale(random));
  return f;
}

struct RandomWeight {
  Weight weight;
  Bytes bytes;
};

inline RandomWeight random_weight(Random& random, const TypeInfo& type, int64_t n, int64_t k) {
  RandomWeight w{{&type, n, k, false, nullptr}, Bytes(matrix_bytes(type, n, k), 0)};
  w.weight.data = w.bytes.data.get();
  std::normal_distribution<float> normal;
  std::vector<float> row(static_cast<size_t>(k * kTileRows));
  for (int64_t block = 0; block < row_blocks(n); ++block) {
    std::byte* record = w.bytes.data.get() + uint64_t(block) * row_block_bytes(type, k);
    const int rows = int(std::min(kTileRows, n - block * kTileRows));
    if (type.family == Family::plain) {
      for (float& x : row) x = normal(random);
      quantize_row_block(type, k, row.data(), rows, record);
    } else {
      for (int r = 0; r < rows; ++r) pack_row(type, k, random_fields(random, type, k), r, record);
    }
  }
  return w;
}

inline RandomWeight random_vector(Random& random, int64_t n) {
  RandomWeight w{{nullptr, n, 0, true, nullptr}, Bytes(size_t(n) * 4)};
  w.weight.data = w.bytes.data.get();
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < n; ++i) reinterpret_cast<float*>(w.bytes.data.get())[i] = normal(random);
  return w;
}

inline std::vector<float> random_rows(Random& random, int64_t rows, int64_t k) {
  std::vector<float> x(size_t(rows * k));
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(random);
  for (int64_t r = 0; r < rows; ++r) {
    float* row = x.data() + r * k;
    const int kind = below(random, 12);
    if (kind == 0) std::fill(row, row + std::min<int64_t>(k, 40), 0.f);
    if (kind == 1) std::fill(row, row + std::min<int64_t>(k, 40), 1e-35f);
    if (kind == 2) row[below(random, int(k))] = 1e30f;
    if (kind == 4) std::fill(row, row + k, pick(random, {-1.f, 1.f}));
    if (kind == 3) row[below(random, int(k))] = pick(random, {INFINITY, -INFINITY, NAN});
  }
  return x;
}

inline bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

}  // namespace loam::random_records
