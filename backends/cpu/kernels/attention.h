// attention: blocks of up to 48 queries (neighbouring rows of a sequence x the heads that share a kv head) walk the
// sequence in chunks of 256 positions. With few rows the position chunks are shared among threads too, and a second
// phase merges them in the same order.
#pragma once
#include "backends/cpu/kernels/attention_rounded.h"
#include "backends/cpu/kernels/rope_kv.h"

namespace loam::cpu::ISA {
namespace {

LOAM_INLINE void write_head(const float* record, int64_t dims, float* out) {
  const F32x16 w = splat(record[1]);
  for (int64_t d = 0; d < dims; d += 16) store(out + d, load(record + 16 + d) / w, int(dims - d));
}

constexpr int64_t kRowsAlone = 8;  // so many rows at most are rotated by whoever attends

// Where a split row keeps the record of a head and chunk.
LOAM_INLINE float* split_part(const Call& c, const Attention& op, const AttentionGrid& g, int64_t row, int64_t head,
                              int64_t chunk) {
  const int64_t record = 16 + (op.head_dim + 15) / 16 * 16;
  return reinterpret_cast<float*>(c.scratch) + ((row * op.heads + head) * g.chunks + chunk) * record;
}

void pack_queries(const Call& c, const Attention& op, const QueryBlock& b, const AttentionScratch& s) {
  const F32x16 scale = splat(op.query_scale());
  for (int j = 0; j < b.queries(); ++j) {
    const float* from = c.in[0].row(b.row_index + j / b.heads) + (b.head + j % b.heads) * op.head_dim;
    for (int64_t d = 0; d < op.head_dim; d += 16)
      store(s.q + j * s.stride + d, load(from + d, int(op.head_dim - d)) * scale);
  }
  if (c.state.layout.type == KvType::q8) round_queries(s, b.queries());
}

template <class Work>
void run_groups(const Work& work) {
  set_limits(work.op, work.block, work.base, work.s);
  for_groups<Work::kQueries>(work.block.queries(), [&](int query, int n) { work.group(query, n); });
}

LOAM_INLINE void run_chunk(const Chunk& chunk) {
  const KvType type = chunk.call.state.layout.type;
  if (type == KvType::q8)
    run_groups(RoundedChunk{chunk});
  else if (type == KvType::f16)
    run_groups(FloatChunk<uint16_t>{chunk});
  else
    run_groups(FloatChunk<float>{chunk});
}

void run_block(const Call& c, const Attention& op, const QueryBlock& b, const AttentionScratch& s) {
  pack_queries(c, op, b, s);
  const int32_t first = b.first / kAttentionChunk, last = b.position / kAttentionChunk;
  for (int32_t chunk = first; chunk <= last; ++chunk)
    run_chunk({c, op, b, s, chunk * kAttentionChunk, s.results, s.record, chunk > first});
  for (int j = 0; j < b.queries(); ++j)
    write_head(s.results + j * s.record, op.head_dim,
               c.out[0].row(b.row_index + j / b.heads) + (b.head + j % b.heads) * op.head_dim);
}

// The longest block of rows from `row` on.
LOAM_INLINE QueryBlock next_block(const Call& c, const Attention& op, const AttentionGrid& g, int64_t row,
                                  int64_t end) {
  const std::span<const Row>& rows = c.run->rows;
  QueryBlock b{};
  b.row = &rows[size_t(row)];
  b.row_index = row;
  b.position = b.row->position;
  b.first = op.first_position(b.position);
  for (b.rows = 1; row + b.rows < end && b.rows < g.row_step; ++b.rows) {
    const Row& next = rows[size_t(row + b.rows)];
    const int32_t first = op.first_position(next.position);
    if (next.pages != b.row->pages || next.position != b.position + b.rows ||
        next.position / kAttentionChunk != b.position / kAttentionChunk ||
        first / kAttentionChunk != b.first / kAttentionChunk)
      break;
  }
  return b;
}

// Sets the heads of a block: slice `index` of the op's heads.
LOAM_INLINE void set_heads(const Attention& op, const AttentionGrid& g, int64_t index, QueryBlock& b) {
  const int64_t group = op.heads / op.kv_heads, offset = index % g.slices * g.heads_step;
  b.kv_head = index / g.slices;
  b.head = b.kv_head * group + offset;
  b.heads = int(group - offset < g.heads_step ? group - offset : g.heads_step);
}

int64_t attention_chunks(const Call& c, int) {
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  return g.row_blocks() * op.kv_heads * g.slices * g.chunks;
}

void attention_run(const Call& c, int64_t chunk, std::byte* thread_scratch) {
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  const AttentionScratch s(thread_scratch, op.head_dim);
  const auto [slice, block, part] = g.item(chunk, op.kv_heads);
  const int64_t begin = block * g.row_step;
  const int64_t end = begin + g.row_step < g.rows ? begin + g.row_step : g.rows;
  for (int64_t row = begin; row < end;) {
    QueryBlock b = next_block(c, op, g, row, end);
    set_heads(op, g, slice, b);
    row += b.rows;
    if (g.chunks == 1) {
      run_block(c, op, b, s);
      continue;
    }
    const int32_t at = b.first / kAttentionChunk + int32_t(part);
    if (at > b.position / kAttentionChunk) continue;
    pack_queries(c, op, b, s);
    run_chunk({c, op, b, s, at * kAttentionChunk, split_part(c, op, g, b.row_index, b.head, part), g.chunks * s.record,
               false});
  }
}

// One row each of a few sequences, heads undivided: then a chunk's positions and heads are nobody else's, and it can
// rotate its own queries and write its own key and value.
bool attention_absorbs(const Call& c, const Call& before) {
  const AttentionGrid g(*std::get_if<Attention>(c.op), *c.run);
  if (!std::holds_alternative<RopeKv>(*before.op) || g.rows > kRowsAlone || g.slices > 1) return false;
  for (int64_t i = 0; i < g.rows; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      if (c.run->rows[size_t(i)].pages == c.run->rows[size_t(j)].pages) return false;
    }
  }
  return true;
}

void attention_chunk(const Call& c, int64_t chunk, std::byte* thread_scratch) {
  if (!c.before) return attention_run(c, chunk, thread_scratch);
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  const auto [kv_head, row, part] = g.item(chunk, op.kv_heads);
  const int64_t group = op.heads / op.kv_heads;
  const int32_t position = c.run->rows[size_t(row)].position;
  const int64_t first = op.first_position(position) / kAttentionChunk, last = position / kAttentionChunk;
  float* const key = reinterpret_cast<float*>(thread_scratch + AttentionScratch::bytes(op.head_dim));
  Matrix queries = c.in[0];
  queries.data = key + rope_room(op.head_dim);
  rope_queries(*c.before, row, kv_head * group, group, queries.row(row));
  if (g.chunks == 1 || first + part == last) rope_to_page(*c.before, row, kv_head, key);
  Call own = c;
  own.in = &queries;
  attention_run(own, chunk, thread_scratch);
}

int64_t attention_merge_chunks(const Call& c, int) {
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  return g.chunks == 1 ? 0 : g.rows * op.kv_heads;
}

// The heads of one kv head of a row.
void attention_merge(const Call& c, int64_t chunk, std::byte*) {
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  const int64_t row = chunk / op.kv_heads, group = op.heads / op.kv_heads;
  const int32_t position = c.run->rows[size_t(row)].position;
  const int64_t parts = position / kAttentionChunk - op.first_position(position) / kAttentionChunk + 1;
  for (int64_t head = chunk % op.kv_heads * group; head < (chunk % op.kv_heads + 1) * group; ++head) {
    float* result = split_part(c, op, g, row, head, 0);
    for (int64_t i = 1; i < parts; ++i)
      merge_result(split_part(c, op, g, row, head, i), (op.head_dim + 15) / 16 * 16, result);
    write_head(result, op.head_dim, c.out[0].row(row) + head * op.head_dim);
  }
}

size_t attention_scratch(const Graph&, const Node& node, int) {
  const Attention& op = *std::get_if<Attention>(&node.op);
  return size_t(op.heads) * kSplitParts * size_t(16 + (op.head_dim + 15) / 16 * 16) * sizeof(float);
}

size_t attention_thread_scratch(const Graph&, const Node& node, int) {
  const Attention& op = *std::get_if<Attention>(&node.op);
  return AttentionScratch::bytes(op.head_dim) +
         size_t(kRowsAlone * op.heads * op.head_dim + rope_room(op.head_dim)) * sizeof(float);
}

constexpr Kernel attention_kernel = {
    2,
    {{attention_chunks, attention_chunk}, {attention_merge_chunks, attention_merge, "merging"}},
    attention_scratch,
    attention_thread_scratch,
    attention_absorbs};

}  // namespace
}  // namespace loam::cpu::ISA
