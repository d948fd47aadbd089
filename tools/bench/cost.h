// What a step must at least do, from the graph alone, and how long the machine needs for that.
#pragma once
#include "core/graph.h"
#include "tools/bench/probes.h"

namespace loam {

// The rows of a step: `sequences` neighbours, each with `rows` new positions from `past` on.
struct Step {
  int64_t sequences = 1, rows = 1, past = 0;
  int64_t outputs = 1;  // rows whose logits are wanted, of all sequences
};

struct Cost {
  double int8 = 0, f32 = 0, bytes = 0;  // operations (a multiply-add is two), and bytes of weights, keys and values
  Cost& operator+=(const Cost& c) {
    int8 += c.int8, f32 += c.f32, bytes += c.bytes;
    return *this;
  }
};

// Of one node: matrices and attention; everything else costs nothing that a limit is known for.
Cost node_cost(const Graph& graph, const Node& node, const Step& step);

struct Limits {
  double int8 = 0, f32 = 0, bandwidth = 0;  // 10^9 per second, as the probes measure them
};

// The larger of arithmetic at the peaks and bytes at the bandwidth, in seconds; 0: not known.
double least_seconds(const Cost& cost, const Limits& limits);
// What it is bound by: "int8", "f32" or "read"; "": unknown.
const char* binding_limit(const Cost& cost, const Limits& limits);

// Of a whole step: the sum over its nodes. Reading a prompt counts matrices alone, so that the share is of the int8
// peak.
double least_seconds(const Graph& graph, const Step& step, const Limits& limits);

// What a step of one token reads of matrices, in the graph's order.
std::vector<Bytes> weights_read(const Graph& graph);

}  // namespace loam
