#include "tools/bench/cost.h"

#include <algorithm>

namespace loam {
namespace {

const Activations* activations_of(const Op& op) {
  if (const Linear* linear = std::get_if<Linear>(&op)) return &linear->activations;
  if (const GatedLinear* gated = std::get_if<GatedLinear>(&op)) return &gated->activations;
  return nullptr;
}

Cost matrix_cost(const Graph& graph, const Node& node, const Activations& activations, const Step& step) {
  const bool all = graph.values()[size_t(node.inputs[0])].rows == RowCount::batch;
  const double rows = double(all ? step.sequences * step.rows : step.outputs);
  Cost c;
  for (WeightId id : node.weights) {
    const Weight& w = graph.weights()[size_t(id)];
    if (w.vector || rows == 0) continue;
    const bool int8 = activations.kind == Activations::Kind::int8 && w.type->family != Family::plain;
    (int8 ? c.int8 : c.f32) += 2 * rows * double(w.n) * double(w.k);
    c.bytes += double(matrix_bytes(*w.type, w.n, w.k));
  }
  return c;
}

// Row i sees past + i + 1 positions, or the last `window` of them.
Cost attention_cost(const Graph& graph, const Node& node, const Attention& op, const Step& step) {
  double seen = 0, last = 0;
  for (int64_t i = 0; i < step.rows; ++i) {
    last = double(op.window ? std::min(op.window, step.past + i + 1) : step.past + i + 1);
    seen += last;
  }
  Cost c;
  const KvLayout& kv = graph.states()[size_t(node.state)];
  const double products = double(step.sequences) * seen * op.heads * op.head_dim;
  if (kv.type == KvType::q8)
    c.int8 = 6 * products;  // weights are in two parts
  else
    c.f32 = 4 * products;
  // Positions of the oldest row's window up to the newest row, keys and values.
  const double positions = std::min(double(step.past + step.rows), last + double(step.rows) - 1);
  c.bytes = double(step.sequences) * positions * double(kv.page_bytes()) / kPageTokens;
  return c;
}

double arithmetic(const Cost& c, const Limits& limits) {
  if ((c.int8 > 0 && limits.int8 <= 0) || (c.f32 > 0 && limits.f32 <= 0)) return 0;
  return (c.int8 > 0 ? c.int8 / limits.int8 : 0) / 1e9 + (c.f32 > 0 ? c.f32 / limits.f32 : 0) / 1e9;
}

double reading(const Cost& c, const Limits& limits) {
  return limits.bandwidth > 0 ? c.bytes / limits.bandwidth / 1e9 : 0;
}

}  // namespace

Cost node_cost(const Graph& graph, const Node& node, const Step& step) {
  if (const Activations* activations = activations_of(node.op)) return matrix_cost(graph, node, *activations, step);
  if (const Attention* op = std::get_if<Attention>(&node.op)) return attention_cost(graph, node, *op, step);
  return {};
}

double least_seconds(const Cost& c, const Limits& limits) {
  return std::max(arithmetic(c, limits), reading(c, limits));
}

const char* binding_limit(const Cost& c, const Limits& limits) {
  if (least_seconds(c, limits) <= 0) return "";
  if (reading(c, limits) > arithmetic(c, limits)) return "read";
  return c.int8 > 0 ? "int8" : "f32";
}

double least_seconds(const Graph& graph, const Step& step, const Limits& limits) {
  double seconds = 0;
  for (const Node& node : graph.nodes()) {
    if (step.rows > 1 && std::get_if<Attention>(&node.op)) continue;
    seconds += least_seconds(node_cost(graph, node, step), limits);
  }
  return seconds;
}

std::vector<Bytes> weights_read(const Graph& graph) {
  std::vector<Bytes> all;
  for (const Node& node : graph.nodes()) {
    if (!activations_of(node.op)) continue;
    for (WeightId id : node.weights) {
      const Weight& w = graph.weights()[size_t(id)];
      if (!w.vector) all.push_back({w.data, size_t(matrix_bytes(*w.type, w.n, w.k))});
    }
  }
  return all;
}

}  // namespace loam
