// A graph of ops over values (activations), weights and states. Built once, planned once for up to 512 rows, run often.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/ops/ops.h"

namespace loam {

using Value = int;     // index of a value
using WeightId = int;  // index of a weight
using StateId = int;   // index of a state; -1: none

struct Node {
  Op op;
  std::vector<Value> inputs, outputs;
  std::vector<WeightId> weights;
  StateId state = -1;
  int layer = -1;  // of the model, for placement; -1: before or after the layers
};

class Graph {
 public:
  // Activations that the caller writes before a run.
  Value input(int64_t cols);
  WeightId weight(const Weight& w);
  StateId state(const KvLayout& layout);
  // Keeps a value readable after a run.
  void output(Value v) { outputs_.push_back(v); }
  // Checks shapes (Error names the op) and returns the op's outputs.
  std::vector<Value> add(Op op, std::vector<Value> inputs, std::vector<WeightId> weights = {}, StateId state = -1);
  void set_layer(int layer) { layer_ = layer; }  // of the nodes that are added from here on

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<ValueShape>& values() const { return values_; }
  const std::vector<Weight>& weights() const { return weights_; }
  const std::vector<KvLayout>& states() const { return states_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& outputs() const { return outputs_; }

 private:
  std::vector<Node> nodes_;
  std::vector<ValueShape> values_;
  std::vector<Weight> weights_;
  std::vector<KvLayout> states_;
  std::vector<Value> inputs_, outputs_;
  int layer_ = -1;
};

std::string_view op_name(const Op& op);

}  // namespace loam
