// Attention of one block: up to 16 queries (neighbouring rows of a sequence x the heads that share a kv head) in one
// chunk of 256 positions, and the merging of chunks.
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

}  // namespace
}  // namespace loam::cpu::ISA
