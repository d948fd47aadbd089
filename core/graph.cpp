#include "core/graph.h"

namespace loam {

Value Graph::input(int64_t cols) {
  if (cols <= 0) fail(Code::bad_argument, "graph: an input of %lld columns", (long long)cols);
  values_.push_back({RowCount::batch, cols});
  inputs_.push_back(Value(values_.size()) - 1);
  return inputs_.back();
}

WeightId Graph::weight(const Weight& w) {
  if (!w.data || w.n <= 0 || (!w.vector && (!w.type || w.k <= 0)))
    fail(Code::bad_argument, "graph: a weight without data, type or size");
  weights_.push_back(w);
  return WeightId(weights_.size()) - 1;
}

StateId Graph::state(const KvLayout& layout) {
  if (layout.kv_heads <= 0 || layout.head_dim <= 0) fail(Code::bad_argument, "graph: a state without heads");
  states_.push_back(layout);
  return StateId(states_.size()) - 1;
}

std::vector<Value> Graph::add(Op op, std::vector<Value> inputs, std::vector<WeightId> weights, StateId state) {
  std::vector<ValueShape> shapes;
  for (Value v : inputs) {
    if (v < 0 || size_t(v) >= values_.size()) fail(Code::bad_argument, "graph: value %d does not exist", v);
    shapes.push_back(values_[size_t(v)]);
  }
  std::vector<const Weight*> stored;
  for (WeightId w : weights) {
    if (w < 0 || size_t(w) >= weights_.size()) fail(Code::bad_argument, "graph: weight %d does not exist", w);
    stored.push_back(&weights_[size_t(w)]);
  }
  if (state >= int(states_.size())) fail(Code::bad_argument, "graph: state %d does not exist", state);
  const OpShapes all{shapes, stored, state >= 0, state >= 0 ? states_[size_t(state)] : KvLayout{}};
  const std::vector<ValueShape> out = std::visit(
      [&](const auto& o) -> std::vector<ValueShape> {
        if constexpr (std::is_same_v<std::decay_t<decltype(o)>, std::monostate>)
          fail(Code::bad_argument, "graph: no op");
        else
          return o.shape(all);
      },
      op);
  Node node{std::move(op), std::move(inputs), {}, std::move(weights), state, layer_};
  for (const ValueShape& s : out) {
    values_.push_back(s);
    node.outputs.push_back(Value(values_.size()) - 1);
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

std::string_view op_name(const Op& op) {
  return std::visit(
      [](const auto& o) -> std::string_view {
        if constexpr (std::is_same_v<std::decay_t<decltype(o)>, std::monostate>)
          return "none";
        else
          return o.kName;
      },
      op);
}

}  // namespace loam
