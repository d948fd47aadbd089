// attention: blocks of up to 16 queries (neighbouring rows of a sequence x the heads that share a kv head) walk the
// sequence in chunks of 256 positions. With few rows the position chunks are shared among threads too, and a second
// phase merges them in the same order.
#pragma once
#include "backends/cpu/kernels/attention_tiles.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kSplitRows = 4;     // so many rows at most have their positions split among threads
constexpr int kSplitChunks = 64;  // so many chunks of positions at most: what the scratch has room for

// How the work divides; a function of the run alone.
struct AttentionGrid {
  int64_t rows, row_step, heads_step, slices;  // rows and heads of a block; blocks per kv head
  int64_t chunks;                              // of positions, 1: not split

  AttentionGrid(const Attention& op, const Run& run) : rows(int64_t(run.rows.size())) {
    const int64_t group = op.heads / op.kv_heads;
    slices = (group + kBlockQueries - 1) / kBlockQueries;
    heads_step = (group + slices - 1) / slices;
    row_step = rows < 16 ? 1 : kBlockQueries / heads_step;
    chunks = 1;
    if (rows > kSplitRows) return;
    for (const Row& row : run.rows) {
      const int64_t n = row.position / kAttentionChunk - op.first_position(row.position) / kAttentionChunk + 1;
      chunks = n > chunks ? n : chunks;
    }
    if (chunks > kSplitChunks) chunks = 1;
  }
  int64_t row_blocks() const { return (rows + row_step - 1) / row_step; }
};

// Queries of neighbouring rows of one sequence whose positions lie in the same chunk, as do their first positions.
struct QueryBlock {
  const Row* row;                       // of the first query
  int rows, heads;                      // queries = rows * heads, [row][head]
  int32_t position, first, last_first;  // of the first row; first seen positions of the first and last row
  int64_t row_index, head, kv_head;

  int queries() const { return rows * heads; }
};

// The state of a block: running results of its queries, and those of one chunk.
struct AttentionScratch {
  float *q, *scores, *sums, *part;               // [d][16], [query][kScoreStride], [query][stride] twice
  float *top, *weight, *part_top, *part_weight;  // [16]
  int64_t stride;

  AttentionScratch(std::byte* memory, int64_t dims) : stride((dims + 15) / 16 * 16) {
    top = reinterpret_cast<float*>(memory);
    weight = top + 16, part_top = weight + 16, part_weight = part_top + 16;
    q = part_weight + 16;
    scores = q + dims * kQueryStride;
    sums = scores + kBlockQueries * kScoreStride;
    part = sums + kBlockQueries * stride;
  }
  static size_t bytes(int64_t dims) {
    return size_t(64 + (dims + kScoreStride + 2 * ((dims + 15) / 16 * 16)) * kBlockQueries) * sizeof(float);
  }
};

LOAM_INLINE F32x16 capped(F32x16 score, float softcap) {
  const F32x16 cap = splat(softcap), two = splat(2.f), one = splat(1.f);
  return cap * (one - two / (exp(two * (score / cap)) + one));
}

// Scores of one query in positions [begin, end) of the chunk become weights e^(score - top), others 0.
LOAM_INLINE void soften(const Attention& op, float* scores, int begin, int end, float& top_out, float& weight) {
  const int tile0 = begin / 16 * 16;
  const F32x16 scale = splat(op.scale), lowest = splat(-__builtin_inff());
  F32x16 tops = lowest, lanes = zero();
  for (int t = tile0; t < end; t += 16) {
    F32x16 s = load(scores + t) * scale;
    if (op.softcap != 0) s = capped(s, op.softcap);
    s = select(lanes_between(begin - t, end - t), s, lowest);
    store(scores + t, s);
    tops = max(s, tops);
  }
  const float top = max_lane(tops);
  for (int t = tile0; t < end; t += 16) {
    const F32x16 p = select(lanes_between(begin - t, end - t), exp(load(scores + t) - splat(top)), zero());
    store(scores + t, p);
    lanes = lanes + p;
  }
  top_out = top;
  weight = tree_sum(lanes);
}

// One block in one chunk of positions.
template <class Kv>
struct ChunkWork {
  const Call& call;
  const Attention& op;
  const QueryBlock& block;
  const AttentionScratch& s;
  int32_t base;  // first position of the chunk

  int first_of(int row) const { return clip(op.first_position(block.position + row)); }
  int end_of(int row) const { return clip(block.position + row + 1); }
  int clip(int32_t position) const {
    const int32_t x = position - base;
    return x < 0 ? 0 : x > kAttentionChunk ? kAttentionChunk : x;
  }
  const Kv* keys(int t) const {
    const KvLayout& l = call.state.layout;
    return reinterpret_cast<const Kv*>(call.state.data +
                                       l.keys(block.row->pages[(base + t) / kPageTokens], size_t(block.kv_head)));
  }
  const Kv* values(int t) const {
    const KvLayout& l = call.state.layout;
    return reinterpret_cast<const Kv*>(call.state.data +
                                       l.values(block.row->pages[(base + t) / kPageTokens], size_t(block.kv_head))) +
           t % kPageTokens * l.head_dim;
  }

  // Positions [begin, end) of the chunk for queries [query, query + count), page by page.
  void add_values(int begin, int end, int query, int count) const {
    for (int t = begin; t < end;) {
      const int page_end = t / kPageTokens * kPageTokens + kPageTokens, stop = end < page_end ? end : page_end;
      page_values(s.scores + query * kScoreStride + t, count, values(t), op.head_dim, stop - t,
                  s.part + query * s.stride, s.stride);
      t = stop;
    }
  }

  void run() const {
    const int last = block.rows - 1, begin = first_of(0), end = end_of(last);
    for (int t = begin / kPageTokens * kPageTokens; t < end; t += kPageTokens) {
      const int tile = t < begin ? (begin - t) / 16 : 0;
      const int tiles = end - t < kPageTokens ? (end - t + 15) / 16 : kPageTokens / 16;
      page_scores(s.q, block.queries(), keys(t), op.head_dim, tile, tiles, s.scores + t + tile * 16);
    }
    for (int j = 0; j < block.queries(); ++j) {
      const int row = j / block.heads;
      soften(op, s.scores + j * kScoreStride, first_of(row), end_of(row), s.part_top[j], s.part_weight[j]);
    }
    for (int64_t i = 0; i < block.queries() * s.stride; i += 16) store(s.part + i, zero());
    // Positions that all rows see go together; what only some see before and after, row by row.
    const int common = first_of(last), common_end = end_of(0);
    const bool shared = common < common_end;
    for (int row = 0; row < block.rows; ++row)
      add_values(first_of(row), shared ? common : end_of(row), row * block.heads, block.heads);
    if (!shared) return;
    add_values(common, common_end, 0, block.queries());
    for (int row = 0; row < block.rows; ++row) add_values(common_end, end_of(row), row * block.heads, block.heads);
  }
};

// Merges a chunk's result into the running one, lanes over queries and then over d.
LOAM_INLINE void merge_chunk(const AttentionScratch& s, int queries) {
  const F32x16 top = load(s.top), part_top = load(s.part_top), highest = max(part_top, top);
  const F32x16 x = exp(top - highest), y = exp(part_top - highest);
  alignas(64) float xs[16], ys[16];
  store(xs, x);
  store(ys, y);
  store(s.weight, fma(load(s.weight), x, load(s.part_weight) * y));
  store(s.top, highest);
  for (int j = 0; j < queries; ++j) {
    float *sum = s.sums + j * s.stride, *part = s.part + j * s.stride;
    for (int64_t d = 0; d < s.stride; d += 16)
      store(sum + d, fma(load(sum + d), splat(xs[j]), load(part + d) * splat(ys[j])));
  }
}

LOAM_INLINE void take_chunk(const AttentionScratch& s, int queries) {
  store(s.top, load(s.part_top));
  store(s.weight, load(s.part_weight));
  for (int64_t i = 0; i < queries * s.stride; i += 16) store(s.sums + i, load(s.part + i));
}

LOAM_INLINE void write_head(const float* sums, float weight, int64_t dims, float* out) {
  const F32x16 w = splat(weight);
  for (int64_t d = 0; d < dims; d += 16) store(out + d, load(sums + d) / w, int(dims - d));
}

// Where a split row keeps the result of a head and chunk: top, weight, then at 16 the sums.
LOAM_INLINE float* split_part(const Call& c, const Attention& op, int64_t row, int64_t head, int64_t chunk) {
  const int64_t floats = 16 + (op.head_dim + 15) / 16 * 16;
  return reinterpret_cast<float*>(c.scratch) + ((row * op.heads + head) * kSplitChunks + chunk) * floats;
}

void pack_queries(const Call& c, const QueryBlock& b, int64_t dims, float* q) {
  for (int j = 0; j < b.queries(); ++j) {
    const float* from = c.in[0].row(b.row_index + j / b.heads) + (b.head + j % b.heads) * dims;
    for (int64_t d = 0; d < dims; ++d) q[d * kQueryStride + j] = from[d];
  }
}

LOAM_INLINE void run_chunk(const Call& c, const Attention& op, const QueryBlock& b, const AttentionScratch& s,
                           int32_t chunk) {
  if (c.state.layout.type == KvType::f16)
    ChunkWork<uint16_t>{c, op, b, s, chunk * kAttentionChunk}.run();
  else
    ChunkWork<float>{c, op, b, s, chunk * kAttentionChunk}.run();
}

void run_block(const Call& c, const Attention& op, const QueryBlock& b, const AttentionScratch& s) {
  pack_queries(c, b, op.head_dim, s.q);
  for (int i = 0; i < 64; i += 16) store(s.top + i, zero());
  const int32_t first = b.first / kAttentionChunk, last = b.position / kAttentionChunk;
  for (int32_t chunk = first; chunk <= last; ++chunk) {
    run_chunk(c, op, b, s, chunk);
    if (chunk == first)
      take_chunk(s, b.queries());
    else
      merge_chunk(s, b.queries());
  }
  for (int j = 0; j < b.queries(); ++j)
    write_head(s.sums + j * s.stride, s.weight[j], op.head_dim,
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
  const int64_t part = chunk % g.chunks, index = chunk / g.chunks, slice = index / g.row_blocks();
  // One kv head after the other, so that it stays in the cache. The last rows see most: they go first, so that no
  // thread is left with a long chunk at the end.
  const int64_t begin = (g.row_blocks() - 1 - index % g.row_blocks()) * g.row_step;
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
    pack_queries(c, b, op.head_dim, s.q);
    run_chunk(c, op, b, s, at);
    for (int j = 0; j < b.queries(); ++j) {
      float* to = split_part(c, op, b.row_index, b.head + j, part);
      to[0] = s.part_top[j], to[1] = s.part_weight[j];
      for (int64_t d = 0; d < s.stride; d += 16) store(to + 16 + d, load(s.part + j * s.stride + d));
    }
  }
}

int64_t attention_merge_chunks(const Call& c, int) {
  const Attention& op = *std::get_if<Attention>(c.op);
  const AttentionGrid g(op, *c.run);
  return g.chunks == 1 ? 0 : g.rows * op.kv_heads;
}

// The heads of one kv head of a row.
void attention_merge(const Call& c, int64_t chunk, std::byte* thread_scratch) {
  const Attention& op = *std::get_if<Attention>(c.op);
  AttentionScratch s(thread_scratch, op.head_dim);
  const int64_t row = chunk / op.kv_heads, group = op.heads / op.kv_heads;
  const int32_t position = c.run->rows[size_t(row)].position;
  const int64_t parts = position / kAttentionChunk - op.first_position(position) / kAttentionChunk + 1;
  for (int64_t head = chunk % op.kv_heads * group; head < (chunk % op.kv_heads + 1) * group; ++head) {
    for (int64_t i = 0; i < parts; ++i) {
      float* part = split_part(c, op, row, head, i);
      s.part_top[0] = part[0], s.part_weight[0] = part[1];
      s.part = part + 16;
      if (i == 0)
        take_chunk(s, 1);
      else
        merge_chunk(s, 1);
    }
    write_head(s.sums, s.weight[0], op.head_dim, c.out[0].row(row) + head * op.head_dim);
  }
}

size_t attention_scratch(const Graph&, const Node& node, int) {
  const Attention& op = *std::get_if<Attention>(&node.op);
  return size_t(kSplitRows) * size_t(op.heads) * kSplitChunks * size_t(16 + (op.head_dim + 15) / 16 * 16) *
         sizeof(float);
}

size_t attention_thread_scratch(const Graph&, const Node& node, int) {
  return AttentionScratch::bytes(std::get_if<Attention>(&node.op)->head_dim);
}

constexpr Kernel attention_kernel = {2,
                                     {{attention_chunks, attention_run}, {attention_merge_chunks, attention_merge}},
                                     attention_scratch,
                                     attention_thread_scratch};

}  // namespace
}  // namespace loam::cpu::ISA
