// What the matrix kernels derive from a call before they touch a byte: how a matrix lies in memory, how a row is
// accumulated, how work is cut into chunks. Compiled once for any machine; the instruction sets' objects only read it.
#pragma once
#include "backends/cpu/kernel.h"
#include "core/types/record.h"

namespace loam::cpu {

// One matrix of an op, with its way of accumulating.
struct MatrixPlan {
  TypeInfo type;
  const std::byte* data;
  int64_t n, k, padded;  // rows, columns, columns padded to 32
  uint64_t record_bytes;
  SegmentLayout full, last;
  uint32_t full_count;
  uint64_t row_d, row_e;
  bool integers;                              // int8 activations; otherwise floats
  bool has_e, d_at_end;                       // D of the row multiplies the finished sum
  int fold, step, group_step;                 // k per float accumulation; per integer sum; per integer s or m
  int group_shift, block_shift, scale_shift;  // log2 of k per group, per D (31: the whole row), per activation scale
  int unit_shift;                             // log2 of k per float of a panel: a group of scaled types, else a block
};
MatrixPlan plan_matrix(const Weight& weight, const Activations& activations);

// Where rounded activations lie in a node's scratch. Sums are of 16 codes each: `starts` integers, multiplied by what
// the instruction set's dots subtract, `sums` floats.
struct RoundedLayout {
  int64_t codes_stride, scales_stride, sums_stride;  // per row, in elements
  size_t codes, scales, starts, sums, bytes;         // offsets
};
RoundedLayout rounded_layout(int64_t k, int block, int64_t rows);

// The op's parameters, whichever of the two ops it is. pairs: the two matrices make one output.
struct LinearOp {
  Activations activations;
  int matrices;
  bool pairs;
  Gate gate;
};
LinearOp linear_op(const Op& op);
const float* linear_bias(const Call& call, int matrix);  // or null
bool needs_rounding(const Call& call);                   // int8 policy and at least one matrix of a quantized type

// Units of two row blocks (pairs: one of each matrix), numbered through all matrices of an op.
int64_t linear_units(int64_t n, bool pairs);  // of a matrix of n rows
int64_t linear_chunks(const Call& call, int threads);
int64_t rounding_chunks(const Call& call, int threads);
bool runs_alone(const Call& call);  // so few rows that every thread rounds them for itself
bool linear_absorbs(const Call& call, const Call& before);
void rounding_range(const Call& call, int64_t chunk, int64_t& begin, int64_t& end);  // rows of a chunk

size_t linear_scratch_bytes(const Graph& graph, const Node& node, int max_rows);
size_t linear_thread_scratch_bytes(const Graph& graph, const Node& node, int max_rows);
int64_t embed_chunks(const Call& call, int threads);
size_t embed_thread_scratch_bytes(const Graph& graph, const Node& node, int max_rows);

// Scratch of one thread: two panels (unpacked row blocks), what a segment's tables need, and running sums of a tile.
constexpr int64_t kPanelK = 4096, kFloatPanelK = 1024;  // k per panel: the two stay in L2
constexpr int kFewTokens = 5;               // up to here every token reads the record itself: cheaper than a panel
struct Panel {                              // memory is touched only where it is used
  alignas(64) uint8_t codes[kPanelK * 16];  // [k / 4][row][4]
  int32_t starts[kPanelK + 16];             // [k / 16][row], running sums, of instruction sets that want them
  float scales[kPanelK], offsets[kPanelK];  // [unit][row]: D * s and -E * m
  float values[kFloatPanelK * 16];          // of floats: [k][row]
};
struct BlockState {  // sums of one token and one row block
  alignas(64) float sum[16];
};
constexpr int kStateBlocks = 3;
struct TokenState {
  BlockState block[kStateBlocks];  // the last one takes what nobody wants
};
struct SegmentScratch {
  alignas(64) int32_t s[16 * 16], m[16 * 16], t[2 * 16 * 16];  // [group][row]; t of s, and what m would have
  alignas(64) uint8_t lines[16 * 64];                          // what each group subtracts from its codes
  float d[16 * 16], e[16 * 16];                                // [block][row]
};
struct ThreadScratch {
  Panel panels[2];
  Panel segment;  // of 256 k, on the way to floats
  SegmentScratch parts;
  alignas(64) float row_d[2][16];  // of the unit's row blocks
  TokenState states[1];            // one per token
};

// What a thread prepares for a call of a matrix op, at the start of its scratch; then its ThreadScratch.
struct OwnLayout {
  size_t runs, sums, normed, rounded, scratch;  // offsets; runs: kRunBytes for every matrix
};
constexpr size_t kRunBytes = 512;
OwnLayout own_layout(const LinearOp& op, int64_t k);

}  // namespace loam::cpu
