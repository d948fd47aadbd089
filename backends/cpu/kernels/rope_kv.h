// rope_kv: chunks of rows; each writes its queries, and its keys and values to the pages.
#pragma once
#include "backends/cpu/kernels/linear_round.h"

namespace loam::cpu::ISA {
namespace {

constexpr int64_t kRopeRows = 4;  // per chunk

int64_t rope_kv_chunks(const Call& c, int) { return (c.in[0].rows + kRopeRows - 1) / kRopeRows; }

LOAM_INLINE void rope_halves(const float* angles, int64_t n, float* x) {
  for (int64_t i = 0; i < n; i += 16) {
    const int w = int(n - i);
    const F32x16 c = load(angles + i, w), s = load(angles + n + i, w), a = load(x + i, w), b = load(x + n + i, w);
    store(x + i, fma(a, c, -(b * s)), w);
    store(x + n + i, fma(b, c, a * s), w);
  }
}

LOAM_INLINE void rope_pairs(const float* angles, int64_t n, float* x) {
  for (int64_t i = 0; i < n; ++i) {
    const float c = angles[i], s = angles[n + i], a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = __builtin_fmaf(a, c, -(b * s));
    x[2 * i + 1] = __builtin_fmaf(b, c, a * s);
  }
}

void rope_one_head(const RopeKv& op, const float* x, const float* gain, const float* angles, float* out) {
  const int64_t n = op.head_dim;
  if (op.norm) {
    rms_norm_row(x, gain, n, op.eps, out);
  } else {
    for (int64_t i = 0; i < n; i += 16) store(out + i, load(x + i, int(n - i)), int(n - i));
  }
  if (op.pairing == RopePairing::half)
    rope_halves(angles, n / 2, out);
  else
    rope_pairs(angles, n / 2, out);
}

// A head with one scale: codes, zeros where d is padded. `room`: stride floats and stride bytes.
LOAM_INLINE float round_head(const float* x, int64_t n, int64_t stride, float* room, int8_t*& codes) {
  for (int64_t d = 0; d < stride; d += 16) store(room + d, load(x + d, int(n - d)));
  codes = reinterpret_cast<int8_t*>(room + stride);
  return round_block(room, stride, codes, [](int64_t, int32_t) {});
}

// Of 8 bits. Keys: four bytes of every 256. Values: every fourth byte.
void write_rounded(const Call& c, const Row& row, size_t head, const float* key, const float* value, float* room) {
  const KvLayout& l = c.state.layout;
  const size_t page = row.pages[row.position / kPageTokens], slot = size_t(row.position % kPageTokens);
  const int64_t stride = int64_t(l.dims());
  int8_t* codes;
  reinterpret_cast<float*>(c.state.data + l.key_scales(page, head))[slot] =
      round_head(key, l.head_dim, stride, room, codes);
  std::byte* to = c.state.data + l.keys(page, head) + l.key_index(slot, 0);
  for (int64_t d = 0; d < stride; d += 4) __builtin_memcpy(to + d * kPageTokens, codes + d, 4);
  reinterpret_cast<float*>(c.state.data + l.value_scales(page, head))[slot] =
      round_head(value, l.head_dim, stride, room, codes);
  to = c.state.data + l.values(page, head) + l.value_index(slot, 0);
  for (int64_t d = 0; d < stride; ++d) to[d * 4] = std::byte(codes[d]);
}

// Keys: a column. Values: a row.
void write_kv(const Call& c, const Row& row, int64_t head, const float* key, const float* value) {
  const KvLayout& l = c.state.layout;
  const size_t page = row.pages[row.position / kPageTokens], slot = size_t(row.position % kPageTokens);
  std::byte* keys = c.state.data + l.keys(page, size_t(head));
  std::byte* values = c.state.data + l.values(page, size_t(head));
  const size_t k0 = l.key_index(slot, 0), v0 = l.value_index(slot, 0);
  for (int64_t d = 0; d < l.head_dim; d += 16) {
    const int n = l.head_dim - d < 16 ? int(l.head_dim - d) : 16;
    if (l.type == KvType::f16) {
      uint16_t column[16];
      store_f16(column, load(key + d, n));
      for (int i = 0; i < n; ++i) reinterpret_cast<uint16_t*>(keys)[k0 + size_t(d + i) * kPageTokens] = column[i];
      store_f16(reinterpret_cast<uint16_t*>(values) + v0 + d, load(value + d, n), n);
    } else {
      for (int i = 0; i < n; ++i) reinterpret_cast<float*>(keys)[k0 + size_t(d + i) * kPageTokens] = key[d + i];
      store(reinterpret_cast<float*>(values) + v0 + d, load(value + d, n), n);
    }
  }
}

// The queries of some heads of a row, to the same place of a row that starts at `out`.
LOAM_INLINE void rope_queries(const Call& c, int64_t r, int64_t head, int64_t heads, float* out) {
  const RopeKv& op = *std::get_if<RopeKv>(c.op);
  const float* gain = op.norm ? c.weights[0]->floats() : nullptr;
  for (int64_t h = head; h < head + heads; ++h)
    rope_one_head(op, c.in[0].row(r) + h * op.head_dim, gain, c.in[3].row(r), out + h * op.head_dim);
}

// Floats that rope_to_page needs: a key, and what rounding one takes.
LOAM_INLINE int64_t rope_room(int64_t head_dim) { return (head_dim + 15) / 16 * 16 * 4; }

// A kv head of a row, to its page; key: room for it.
LOAM_INLINE void rope_to_page(const Call& c, int64_t r, int64_t head, float* key) {
  const RopeKv& op = *std::get_if<RopeKv>(c.op);
  const float* gain = op.norm ? c.weights[1]->floats() : nullptr;
  rope_one_head(op, c.in[1].row(r) + head * op.head_dim, gain, c.in[3].row(r), key);
  const float* value = c.in[2].row(r) + head * op.head_dim;
  if (c.state.layout.type == KvType::q8)
    write_rounded(c, c.run->rows[size_t(r)], size_t(head), key, value, key + rope_room(op.head_dim) / 4);
  else
    write_kv(c, c.run->rows[size_t(r)], head, key, value);
}

void rope_kv_run(const Call& c, int64_t chunk, std::byte* thread_scratch) {
  const RopeKv& op = *std::get_if<RopeKv>(c.op);
  const int64_t last = chunk * kRopeRows + kRopeRows;
  for (int64_t r = chunk * kRopeRows; r < last && r < c.in[0].rows; ++r) {
    rope_queries(c, r, 0, op.heads, c.out[0].row(r));
    for (int64_t h = 0; h < op.kv_heads; ++h) rope_to_page(c, r, h, reinterpret_cast<float*>(thread_scratch));
  }
}

size_t rope_kv_thread_scratch(const Graph&, const Node& node, int) {
  return size_t(rope_room(std::get_if<RopeKv>(&node.op)->head_dim)) * sizeof(float);
}

constexpr Kernel rope_kv_kernel = {1, {{rope_kv_chunks, rope_kv_run}}, nullptr, rope_kv_thread_scratch};

}  // namespace
}  // namespace loam::cpu::ISA
