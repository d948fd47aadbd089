// Places a graph on backends, plans its memory once, and runs it: a list of segments, each on one backend, with
// explicit copies of values at the borders.
#pragma once
#include <memory>
#include <string>

#include "core/backend.h"

namespace loam {

struct Placement {
  // The backends to use, best first; the last one must support every op (the reference backend).
  std::vector<std::shared_ptr<Backend>> backends;
  // By layer of a node: index into backends. Missing layers, and nodes outside the layers, go to backend 0.
  std::vector<int> by_layer;
};

class Executor {
 public:
  // The graph must outlive the executor. pages: of state to make room for. max_rows: at most kMaxRows.
  Executor(const Graph& graph, Placement placement, size_t pages = 0, int max_rows = kMaxRows);

  void write_input(Value v, const float* rows, int64_t count);
  void run(const Run& run);  // at most max_rows rows; does not allocate
  // A value kept by Graph::output, in host memory, valid until the next run.
  const float* output(Value v);

  size_t state_count() const { return states_.size(); }
  Buffer& state(StateId id) { return *states_[size_t(id)]; }
  // Nodes that run in the reference backend because theirs lacks the op, as "op on backend: count".
  std::vector<std::string> fallbacks() const;
  const Graph& graph() const { return graph_; }
  uint64_t memory() const;  // of arenas, states and plans
  size_t segments() const { return steps_.size(); }

 private:
  struct Copy {
    Value value;
    int from;
  };  // into the arena of the segment that follows
  struct Step {
    int backend;
    std::vector<int> nodes;
    std::vector<Copy> copies;
    std::unique_ptr<Plan> plan;
  };

  int wanted_backend(const Node& node) const;
  void place_states();
  void place();
  void plan_memory();
  void make_arenas_and_states(size_t pages);
  void find_copies();
  void copy_value(const Copy& copy, int to, const Run& run);
  size_t value_bytes(Value v, int64_t rows) const {
    return size_t(rows * graph_.values()[size_t(v)].cols) * sizeof(float);
  }

  const Graph& graph_;
  Placement placement_;
  int max_rows_;
  std::vector<size_t> offsets_;  // of values, the same in every arena
  size_t arena_bytes_ = 0;
  std::vector<std::unique_ptr<Buffer>> arenas_;  // by backend; null where unused
  std::vector<std::unique_ptr<Buffer>> states_;
  std::vector<int> state_backend_;
  std::vector<int> producer_;  // backend of each value; inputs: backend 0
  std::vector<Step> steps_;
  std::vector<std::pair<std::string, int>> fallbacks_;
  std::vector<std::byte> staging_;  // for copies between memories that the host cannot address
};

}  // namespace loam
