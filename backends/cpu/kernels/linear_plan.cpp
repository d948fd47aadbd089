// Plans of the matrix kernels: everything that is the same for all instruction sets.
#include "backends/cpu/kernels/linear_plan.h"

#include <algorithm>
#include <bit>

namespace loam::cpu {
namespace {

int log2_of(int x) { return x ? std::countr_zero(unsigned(x)) : 31; }

int64_t columns(const Graph& graph, const Node& node) { return graph.values()[size_t(node.inputs[0])].cols; }

constexpr int64_t kChunkBytes = 48 << 10, kLargestChunkBytes = 384 << 10;  // of weights, where reading them is the work
constexpr int64_t kChunkProducts = 4 << 20;                                // where multiplying is
constexpr int64_t kFewChunkRows = 16;  // so few rows: records are read in long runs; beyond, threads end together

}  // namespace

MatrixPlan plan_matrix(const Weight& w, const Activations& a) {
  MatrixPlan p{};
  const RecordLayout r = record_layout(*w.type, w.k);
  p.type = *w.type;
  p.data = w.data;
  p.n = w.n, p.k = w.k, p.padded = padded_k(w.k);
  p.record_bytes = r.bytes;
  p.full = r.full, p.last = r.last, p.full_count = r.full_count;
  p.row_d = r.row_d, p.row_e = r.row_e;
  p.integers = a.kind == Activations::Kind::int8 && p.type.family != Family::plain;
  p.fold = fold_size(p.type, a);
  p.step = step_size(p.type, a);
  p.group_step = p.type.group ? std::min<int>(p.type.group, p.fold) : p.fold;
  p.has_e = p.type.e != FloatFormat::none;
  p.d_at_end = p.type.block == 0 && !p.has_e;
  p.group_shift = log2_of(p.type.group), p.block_shift = log2_of(p.type.block), p.scale_shift = log2_of(a.block);
  p.unit_shift = p.type.family == Family::scaled && p.type.group ? p.group_shift : p.block_shift;
  return p;
}

RoundedLayout rounded_layout(int64_t k, int block, int64_t rows) {
  const auto up = [](int64_t x, int64_t to) { return (x + to - 1) / to * to; };
  const int64_t padded = padded_k(k);
  RoundedLayout l{};
  if (rows > 1) rows = up(rows, 8);  // kernels of many tokens read what no row is in
  l.codes_stride = up(padded, 64);
  if (l.codes_stride % 4096 == 0) l.codes_stride += 64;  // or all rows would share the same few cache sets
  l.scales_stride = up((padded + block - 1) / block, 16);
  l.sums_stride = up(padded / 16, 16);
  l.codes = 0;
  l.scales = l.codes + size_t(l.codes_stride * rows);
  l.starts = l.scales + size_t(l.scales_stride * rows) * sizeof(float);
  l.sums = l.starts + size_t(l.sums_stride * rows) * sizeof(int32_t);
  l.bytes = l.sums + size_t(l.sums_stride * rows) * sizeof(float);
  return l;
}

LinearOp linear_op(const Op& op) {
  if (const Linear* linear = std::get_if<Linear>(&op))
    return {linear->activations, linear->matrices, false, Gate::silu};
  const GatedLinear& gated = std::get<GatedLinear>(op);
  return {gated.activations, 2, true, gated.gate};
}

const float* linear_bias(const Call& call, int matrix) {
  const Linear* linear = std::get_if<Linear>(call.op);
  const int i = linear ? linear->bias_index(matrix) : -1;
  return i < 0 ? nullptr : call.weights[i]->floats();
}

bool needs_rounding(const Call& call) {
  const LinearOp op = linear_op(*call.op);
  if (op.activations.kind != Activations::Kind::int8) return false;
  for (int i = 0; i < op.matrices; ++i) {
    if (call.weights[i]->type->family != Family::plain) return true;
  }
  return false;
}

int64_t linear_units(int64_t n, bool pairs) { return pairs ? row_blocks(n) : (row_blocks(n) + 1) / 2; }

int64_t linear_chunks(const Call& call, int threads) {
  const LinearOp op = linear_op(*call.op);
  const int64_t rows = call.in[0].rows;
  int64_t units = 0, bytes = 0;
  for (int i = 0; i < op.matrices; ++i) {
    if (i == 0 || !op.pairs) units += linear_units(call.weights[i]->n, op.pairs);
    bytes += row_blocks(call.weights[i]->n) * int64_t(record_layout(*call.weights[i]->type, call.weights[i]->k).bytes);
  }
  const int64_t products = units * 32 * call.in[0].cols * rows;
  const int64_t useful = std::max<int64_t>(1, std::max(bytes / kChunkBytes, products / kChunkProducts));
  int64_t count = std::min<int64_t>(useful, (rows > kFewChunkRows ? 64 : 4) * threads);
  count = std::max({count, bytes / kLargestChunkBytes, std::min(useful, products / (16 * kChunkProducts))});
  if (count > threads) count = (count + threads - 1) / threads * threads;  // equal shares
  return rows ? std::min(count, units) : 0;
}

namespace {
constexpr int64_t kRoundingValues = 16 << 10, kMostAlone = 8;  // values of a chunk; rows that a thread does for itself
int64_t rounding_rows(const Call& call) { return std::max<int64_t>(1, kRoundingValues / call.in[0].cols); }
int64_t rows_alone(int64_t k) { return std::clamp<int64_t>(kRoundingValues / k, 1, kMostAlone); }
}  // namespace

// What one chunk did while all others waited costs less where nobody waits.
bool runs_alone(const Call& call) { return call.in[0].rows <= rows_alone(call.in[0].cols); }

bool linear_absorbs(const Call& call, const Call& before) {
  return std::holds_alternative<RmsNorm>(*before.op) && runs_alone(call);
}

OwnLayout own_layout(const LinearOp& op, int64_t k) {
  const size_t floats = size_t(rows_alone(k) * k) * sizeof(float);  // rows lie dense: loads may run over the end
  size_t end = kRunBytes;
  const auto place = [&end](size_t& at, size_t bytes) { at = end, end += (bytes + 127) / 64 * 64; };
  OwnLayout l{};
  place(l.runs, kRunBytes * size_t(op.matrices));
  place(l.sums, floats);
  place(l.normed, floats);
  place(l.rounded, rounded_layout(k, op.activations.block, rows_alone(k)).bytes);
  l.scratch = end;
  return l;
}

int64_t rounding_chunks(const Call& call, int) {
  if (!needs_rounding(call) || runs_alone(call)) return 0;
  return (call.in[0].rows + rounding_rows(call) - 1) / rounding_rows(call);
}

void rounding_range(const Call& call, int64_t chunk, int64_t& begin, int64_t& end) {
  begin = chunk * rounding_rows(call);
  end = std::min(begin + rounding_rows(call), call.in[0].rows);
}

size_t linear_scratch_bytes(const Graph& graph, const Node& node, int max_rows) {
  const LinearOp op = linear_op(node.op);
  if (op.activations.kind != Activations::Kind::int8) return 0;
  return rounded_layout(columns(graph, node), op.activations.block, max_rows).bytes;
}

size_t linear_thread_scratch_bytes(const Graph& graph, const Node& node, int max_rows) {
  return own_layout(linear_op(node.op), columns(graph, node)).scratch + sizeof(ThreadScratch) +
         sizeof(TokenState) * size_t(max_rows + 6);
}

int64_t embed_chunks(const Call& call, int) { return int64_t(call.run->rows.size()); }

size_t embed_thread_scratch_bytes(const Graph&, const Node&, int) { return sizeof(ThreadScratch); }

}  // namespace loam::cpu
