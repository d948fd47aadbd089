// Attention of one block: up to 48 queries (neighbouring rows of a sequence x the heads that share a kv head) in one
// chunk of 256 positions, and the merging of chunks.
#pragma once
#include "backends/cpu/kernels/attention_tiles.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kBlockQueries = 48;                      // a multiple of 16 and of most tiles
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
    const int64_t share = rows < 32 ? 1 : rows * op.kv_heads * slices / 16;  // at least 16 blocks, for the threads
    row_step = kBlockQueries / heads_step < share ? kBlockQueries / heads_step : share;
    chunks = 1;
    if (rows > 16) return;
    for (const Row& row : run.rows) {
      const int64_t n = row.position / kAttentionChunk - op.first_position(row.position) / kAttentionChunk + 1;
      chunks = n > chunks ? n : chunks;
    }
    if (rows * chunks > kSplitParts) chunks = 1;
  }
  int64_t row_blocks() const { return (rows + row_step - 1) / row_step; }

  struct Item {
    int64_t slice, block, part;
  };
  // What a chunk of the phase is. Parts of a sequence: as its pages lie in memory, since one head of each page alone
  // would leave what the processor prefetches unread. Otherwise a kv head stays in the cache, and the last rows, which
  // see most, go first, so that no thread is left with a long one at the end.
  Item item(int64_t chunk, int64_t kv_heads) const {
    const int64_t all = kv_heads * slices, blocks = row_blocks();
    if (chunks > 1) return {chunk % all, chunk / all % blocks, chunk / all / blocks};
    return {chunk / blocks, blocks - 1 - chunk % blocks, 0};
  }
};

// Queries of neighbouring rows of one sequence whose positions lie in the same chunk, as do their first positions.
struct QueryBlock {
  const Row* row;           // of the first query
  int rows, heads;          // queries = rows * heads, [row][head]
  int32_t position, first;  // of the first row: its position and the first one that it sees
  int64_t row_index, head, kv_head;

  int queries() const { return rows * heads; }
};

// The state of a block. A query's result, of one chunk or of all so far, is a record: top, weight, at 16 the sums.
struct AttentionScratch {
  float *q, *results;  // [query][stride], [query][record]
  int *begins, *ends;  // [query]: positions of the chunk that it sees
  float* q_scales;     // [query], of 8 bits
  int32_t* starts;     // [query], of 8 bits: of sums
  // Of the queries of a tile: [query][record], [query][kScoreStride]; of 8 bits: scales of weights, the weights.
  float *part, *scores, *steps;
  int8_t* codes;  // [query][kCodeStride]
  int64_t stride, record;

  AttentionScratch(std::byte* memory, int64_t dims) : stride((dims + 15) / 16 * 16), record(16 + stride) {
    float* next = reinterpret_cast<float*>(memory);
    const auto take = [&](int64_t floats) { return (next += floats) - floats; };
    q = take(kBlockQueries * stride), results = take(kBlockQueries * record);
    begins = reinterpret_cast<int*>(take(kBlockQueries)), ends = reinterpret_cast<int*>(take(kBlockQueries));
    q_scales = take(kBlockQueries), starts = reinterpret_cast<int32_t*>(take(kBlockQueries));
    part = take(kTileQueries * record), scores = take(kTileQueries * kScoreStride), steps = take(16);
    codes = reinterpret_cast<int8_t*>(take(kTileQueries * kCodeStride / 4));
  }
  static size_t bytes(int64_t dims) {
    const int64_t stride = (dims + 15) / 16 * 16, record = 16 + stride;
    return size_t(kBlockQueries * (stride + record + 4) + 16 +
                  kTileQueries * (record + kScoreStride + kCodeStride / 4)) *
           sizeof(float);
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

// Calls f(t, edge) over the tiles of 16 positions that [begin, end) touches; edge: constant, not all are inside.
template <class F>
LOAM_INLINE void for_tiles(int begin, int end, F f) {
  int t = begin / 16 * 16;
  if (t < begin) f(t, std::true_type()), t += 16;
  for (; t + 16 <= end; t += 16) f(t, std::false_type());
  if (t < end) f(t, std::true_type());
}

// Scores of one query in positions [begin, end) of the chunk become weights 2^(score - top), or what keep(t, weights)
// makes of the 16 from position t on; others of the same 16 become 0. Their top and sum go to the record.
template <class Keep>
void soften(const Attention& op, float* scores, int begin, int end, float* record, Keep keep) {
  const F32x16 lowest = splat(-__builtin_inff());
  F32x16 tops = lowest, lanes = zero();
  if (op.softcap != 0)
    for_tiles(begin, end, [&](int t, auto) { store(scores + t, capped(load(scores + t), op.softcap)); });
  for_tiles(begin, end, [&](int t, auto edge) {
    const F32x16 s = load(scores + t);
    tops = max(edge() ? select(lanes_between(begin - t, end - t), s, lowest) : s, tops);
  });
  const float top = max_lane(tops);
  for_tiles(begin, end, [&](int t, auto edge) {
    F32x16 p = exp2(load(scores + t) - splat(top)), kept = keep(t, p);
    if (edge()) {
      const Mask seen = lanes_between(begin - t, end - t);
      p = select(seen, p, zero()), kept = select(seen, kept, zero());
    }
    store(scores + t, kept);
    lanes = lanes + p;
  });
  record[0] = top, record[1] = tree_sum(lanes);
}

// Merges the result of a chunk into that of the ones before.
void merge_result(const float* part, int64_t dims, float* result) {
  const F32x16 top = splat(result[0]), part_top = splat(part[0]), highest = max(part_top, top);
  const F32x16 x = exp2(top - highest), y = exp2(part_top - highest);
  const F32x16 weight = fma(splat(result[1]), x, splat(part[1]) * y);
  store(result, highest, 1);
  store(result + 1, weight, 1);
  for (int64_t d = 16; d < 16 + dims; d += 16) store(result + d, fma(load(result + d), x, load(part + d) * y));
}

// One block in one chunk of positions: what does not depend on the type of keys and values.
struct Chunk {
  const Call& call;
  const Attention& op;
  const QueryBlock& block;
  const AttentionScratch& s;
  int32_t base;    // first position
  float* results;  // [query][step], for the results
  int64_t step;
  bool more;  // into results of the chunks before

  const std::byte* keys(int page) const {
    const uint32_t* pages = block.row->pages + base / kPageTokens;
    return call.state.data + call.state.layout.keys(pages[page], size_t(block.kv_head));
  }
  size_t head_bytes() const { return call.state.layout.head_bytes(); }

  // Calls score(page, keys, keys or values that are read next) and add(parts, to, step) for a group of queries.
  template <class Number, class Score, class Add>
  LOAM_INLINE void walk(int query, int count, Score score, Add add) const {
    const int first = s.begins[query] / kPageTokens, end = (s.ends[query + count - 1] + kPageTokens - 1) / kPageTokens;
    const auto key_page = [&](int page) { return reinterpret_cast<const Number*>(keys(page)); };
    const auto value_page = [&](int page) { return reinterpret_cast<const Number*>(keys(page) + head_bytes()); };
    const Number* parts[kAttentionChunk / kPageTokens + 1];
    for (int page = first; page < end; ++page) {
      const Number* const pair[] = {key_page(page), page + 1 < end ? key_page(page + 1) : value_page(first)};
      const TileRange range = tiles_of(s, query, query + count - 1, page);
      if (range.count > 0) score(page, range, pair);
      parts[page] = value_page(page);
    }
    parts[end] = base + kAttentionChunk <= block.position ? key_page(end) : parts[end - 1];
    add(parts, more ? s.part : results + query * step, more ? s.record : step);
    for (int j = 0; more && j < count; ++j) merge_result(s.part + j * s.record, s.stride, results + (query + j) * step);
  }
};

// Keys and values as floats.
template <class Number>
struct FloatChunk : Chunk {
  static constexpr int kQueries = kTileQueries;

  // Positions between two begins or ends are seen by the queries up to the one, or from the other on.
  void add_values(int query, int count, const Number* const* parts, float* to, int64_t to_step) const {
    const int *begins = s.begins + query, *ends = s.ends + query, last = count - 1;
    const auto add = [&](int j, int n, int begin, int end, bool go_on) {
      if (begin == end && go_on) return;
      multiply<Number>(
          n, {s.scores + j * kScoreStride + begin, kScoreStride, to + j * to_step + 16, to_step, 0, begin, end, go_on},
          {parts, kPageShift, s.stride, 16}, int(s.stride));
    };
    if (ends[0] < begins[last]) {  // none is seen by all
      for (int j = 0; j < count; ++j) add(j, 1, begins[j], ends[j], false);
      return;
    }
    const bool late = begins[0] < begins[last];
    if (late) add(0, count, begins[0], begins[0], false);
    for (int j = 0; j < last; ++j) add(0, j + 1, begins[j], begins[j + 1], true);
    add(0, count, begins[last], ends[0], late);
    for (int j = 0; j < last; ++j) add(j + 1, last - j, ends[j], ends[j + 1], true);
  }

  void group(int query, int count) const {
    const auto score = [&](int, TileRange range, const Number* const* keys_ahead) {
      multiply<Number>(count,
                       {s.q + query * s.stride, s.stride, s.scores + range.first * 16, kScoreStride,
                        range.first % (kPageTokens / 16), 0, op.head_dim, false},
                       {keys_ahead, kWhole, kPageTokens, 16}, range.count * 16);
    };
    walk<Number>(query, count, score, [&](const Number* const* parts, float* to, int64_t to_step) {
      for (int j = 0; j < count; ++j)
        soften(op, s.scores + j * kScoreStride, s.begins[query + j], s.ends[query + j], to + j * to_step,
               [](int, F32x16 p) { return p; });
      add_values(query, count, parts, to, to_step);
    });
  }
};

}  // namespace
}  // namespace loam::cpu::ISA
