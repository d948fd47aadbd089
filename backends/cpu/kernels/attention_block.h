// Attention of one block: up to 48 queries (neighbouring rows of a sequence x the heads that share a kv head) in one
// chunk of 256 positions, and the merging of chunks.
#pragma once
#include "backends/cpu/kernels/attention_tiles.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kBlockQueries = 48;                      // a multiple of 16: vectors of tops and weights
constexpr int kScoreStride = kAttentionChunk + 16;     // floats; padded against cache aliasing
constexpr int kCodeStride = 2 * kAttentionChunk + 64;  // bytes
constexpr int kSplitParts = 512;                       // so many (row, chunk) at most have a part of their own

// How the work divides; a function of the run alone.
struct AttentionGrid {
  int64_t rows, row_step, heads_step, slices;  // rows and heads of a block; blocks per kv head
  int64_t chunks;                              // of positions, 1: not split

  AttentionGrid(const Attention& op, const Run& run) : rows(int64_t(run.rows.size())) {
    const int64_t group = op.heads / op.kv_heads;
    slices = (group + kBlockQueries - 1) / kBlockQueries;
    heads_step = (group + slices - 1) / slices;
    row_step = kBlockQueries / heads_step;  // but at least 16 blocks, for the threads
    row_step = row_step < rows / 16 ? row_step : rows < 32 ? 1 : rows / 16;
    chunks = 1;
    if (rows > 4) return;
    for (const Row& row : run.rows) {
      const int64_t n = row.position / kAttentionChunk - op.first_position(row.position) / kAttentionChunk + 1;
      chunks = n > chunks ? n : chunks;
    }
    if (rows * chunks > kSplitParts) chunks = 1;
  }
  int64_t row_blocks() const { return (rows + row_step - 1) / row_step; }
};

// Queries of neighbouring rows of one sequence whose positions lie in the same chunk, as do their first positions.
struct QueryBlock {
  const Row* row;           // of the first query
  int rows, heads;          // queries = rows * heads, [row][head]
  int32_t position, first;  // of the first row: its position and the first one that it sees
  int64_t row_index, head, kv_head;

  int queries() const { return rows * heads; }
};

// The state of a block: running results of its queries, and those of one chunk.
struct AttentionScratch {
  float *q, *scores, *sums, *part;               // [query][stride], [query][kScoreStride], [query][stride] twice
  float *top, *weight, *part_top, *part_weight;  // [query]
  int *begins, *ends;                            // [query]: positions of the chunk that it sees
  float *q_scales, *steps;                       // [query], of 8 bits: scales of the query and of its weights
  int32_t* starts;                               // [query], of 8 bits: of sums
  int8_t* codes;                                 // [query][kCodeStride], of 8 bits: weights
  int64_t stride;

  AttentionScratch(std::byte* memory, int64_t dims) : stride((dims + 15) / 16 * 16) {
    float* next = reinterpret_cast<float*>(memory);
    const auto take = [&](int64_t per_query) {
      return (next += kBlockQueries * per_query) - kBlockQueries * per_query;
    };
    top = take(1), weight = take(1), part_top = take(1), part_weight = take(1), q_scales = take(1), steps = take(1);
    begins = reinterpret_cast<int*>(take(1)), ends = reinterpret_cast<int*>(take(1));
    starts = reinterpret_cast<int32_t*>(take(1));
    codes = reinterpret_cast<int8_t*>(take(kCodeStride / 4));
    q = take(stride), scores = take(kScoreStride), sums = take(stride), part = take(stride);
  }
  static size_t bytes(int64_t dims) {
    return size_t(kBlockQueries * (9 + kCodeStride / 4 + kScoreStride + 3 * ((dims + 15) / 16 * 16))) * sizeof(float);
  }
};

LOAM_INLINE int in_chunk(int32_t position, int32_t base) {
  const int32_t x = position - base;
  return x < 0 ? 0 : x > kAttentionChunk ? kAttentionChunk : x;
}

LOAM_INLINE void set_limits(const Attention& op, const QueryBlock& b, int32_t base, const AttentionScratch& s) {
  for (int j = 0; j < b.queries(); ++j) {
    const int32_t position = b.position + j / b.heads;
    s.begins[j] = in_chunk(op.first_position(position), base), s.ends[j] = in_chunk(position + 1, base);
  }
}

// Tiles of 16 positions of a chunk that queries first to last see of one page.
struct TileRange {
  int first, count;
};
LOAM_INLINE TileRange tiles_of(const AttentionScratch& s, int first, int last, int page) {
  const int page_begin = page * kPageTokens, page_end = page_begin + kPageTokens;
  const int begin = s.begins[first] > page_begin ? s.begins[first] : page_begin;
  const int end = s.ends[last] < page_end ? s.ends[last] : page_end;
  return {begin / 16, (end + 15) / 16 - begin / 16};
}

LOAM_INLINE F32x16 capped(F32x16 score, float softcap) {
  const F32x16 cap = splat(softcap), two = splat(2.f), one = splat(1.f);
  return cap * (one - two / (exp(two * (score / cap)) + one)) * splat(Attention::kLog2e);
}

// Scores of one query in positions [begin, end) of the chunk become weights 2^(score - top), or what keep(t, weights)
// makes of the 16 from position t on; others of the same 16 become 0.
template <class Keep>
LOAM_INLINE void soften(const Attention& op, float* scores, int begin, int end, float& top_out, float& weight,
                        Keep keep) {
  const int tile0 = begin / 16 * 16;
  const F32x16 lowest = splat(-__builtin_inff());
  const auto is_edge = [&](int t) { return t < begin || t + 16 > end; };
  F32x16 tops = lowest, lanes = zero();
  for (int t = tile0; t < end; t += 16) {
    F32x16 s = load(scores + t);
    if (op.softcap != 0) store(scores + t, s = capped(s, op.softcap));
    if (is_edge(t)) s = select(lanes_between(begin - t, end - t), s, lowest);
    tops = max(s, tops);
  }
  const float top = max_lane(tops);
  for (int t = tile0; t < end; t += 16) {
    F32x16 p = exp2(load(scores + t) - splat(top)), kept = keep(t, p);
    if (is_edge(t)) {
      const Mask seen = lanes_between(begin - t, end - t);
      p = select(seen, p, zero()), kept = select(seen, kept, zero());
    }
    store(scores + t, kept);
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

  const Kv* keys(int page) const {
    const KvLayout& l = call.state.layout;
    return reinterpret_cast<const Kv*>(call.state.data +
                                       l.keys(block.row->pages[base / kPageTokens + page], size_t(block.kv_head)));
  }
  const Kv* values(int page) const { return keys(page) + kPageTokens * op.head_dim; }

  // Scores of a group of queries with one page of keys.
  template <int Q>
  void score_page(int query, int page, const Kv* const* parts) const {
    const TileRange range = tiles_of(s, query, query + Q - 1, page);
    if (range.count <= 0) return;
    const int dims = op.head_dim;
    multiply<Q, Kv>({s.q + query * s.stride, s.stride, s.scores + query * kScoreStride + range.first * 16, kScoreStride,
                     range.first % (kPageTokens / 16), 0, dims, 0, dims, nullptr, nullptr},
                    {parts, dims, kPageTokens, 16}, range.count * 16);
  }

  template <int Q>
  void add_values(int query, const Kv* const* parts) const {
    const int begin = s.begins[query], end = s.ends[query + Q - 1];
    const int common = s.begins[query + Q - 1], common_end = s.ends[query];
    multiply<Q, Kv>({s.scores + query * kScoreStride + begin, kScoreStride, s.part + query * s.stride, s.stride, 0,
                     begin, end, common, common_end, s.begins + query, s.ends + query},
                    {parts, kPageTokens, op.head_dim, 16}, op.head_dim);
  }

  void run() const {
    const int queries = block.queries();
    set_limits(op, block, base, s);
    const int first_page = s.begins[0] / kPageTokens, end_page = (s.ends[queries - 1] + kPageTokens - 1) / kPageTokens;
    const bool more = base + kAttentionChunk <= block.position;
    const Kv* parts[kAttentionChunk / kPageTokens + 1];
    for (int page = first_page; page < end_page; ++page) {
      const Kv* const pair[] = {keys(page), page + 1 < end_page ? keys(page + 1) : values(first_page)};
      for_groups<kTileQueries>(queries, [&](int query, auto n) { score_page<n()>(query, page, pair); });
      parts[page] = values(page);
    }
    parts[end_page] = more ? keys(end_page) : parts[end_page - 1];
    for (int j = 0; j < queries; ++j)
      soften(op, s.scores + j * kScoreStride, s.begins[j], s.ends[j], s.part_top[j], s.part_weight[j],
             [](int, F32x16 p) { return p; });
    for_groups<kTileQueries>(queries, [&](int query, auto n) { add_values<n()>(query, parts); });
  }
};

// Merges a chunk's result into the running one, lanes over queries and then over d.
LOAM_INLINE void merge_chunk(const AttentionScratch& s, int queries) {
  for (int first = 0; first < queries; first += 16) {
    const F32x16 top = load(s.top + first), part_top = load(s.part_top + first), highest = max(part_top, top);
    const F32x16 x = exp2(top - highest), y = exp2(part_top - highest);
    alignas(64) float xs[16], ys[16];
    store(xs, x);
    store(ys, y);
    store(s.weight + first, fma(load(s.weight + first), x, load(s.part_weight + first) * y));
    store(s.top + first, highest);
    for (int j = first; j < queries && j < first + 16; ++j) {
      float *sum = s.sums + j * s.stride, *part = s.part + j * s.stride;
      for (int64_t d = 0; d < s.stride; d += 16)
        store(sum + d, fma(load(sum + d), splat(xs[j - first]), load(part + d) * splat(ys[j - first])));
    }
  }
}

LOAM_INLINE void take_chunk(const AttentionScratch& s, int queries) {
  for (int i = 0; i < queries; i += 16) {
    store(s.top + i, load(s.part_top + i));
    store(s.weight + i, load(s.part_weight + i));
  }
  for (int64_t i = 0; i < queries * s.stride; i += 16) store(s.sums + i, load(s.part + i));
}

}  // namespace
}  // namespace loam::cpu::ISA
