// Runs the matrix kernels of all instruction sets of this machine beside the definition.
#pragma once
#include <doctest/doctest.h>

#include <numeric>
#include <string>

#include "tests/cpu_tables.h"
#include "tests/random_records.h"

namespace loam::random_records {

// The op's kernel of one instruction set, its chunks in random order.
inline void run_kernel(const cpu::Kernel& kernel, const Graph& graph, const OpArgs& args, Random& random) {
  const Node& node = graph.nodes()[0];
  const int rows = std::max(1, int(args.run.rows.size()));
  Bytes scratch(kernel.scratch_bytes ? kernel.scratch_bytes(graph, node, rows) : 0);
  Bytes thread_scratch(kernel.thread_scratch_bytes ? kernel.thread_scratch_bytes(graph, node, rows) : 0);
  int64_t chunks[3] = {};
  cpu::Call call{};
  call.op = &node.op;
  call.in = args.in.data(), call.out = args.out.data();
  call.weights = args.weights.data();
  call.run = &args.run;
  call.scratch = scratch.data.get();
  call.inputs = int(args.in.size()), call.outputs = int(args.out.size());
  call.chunks = chunks;
  const int threads = 1 + below(random, 5);
  for (int p = 0; p < kernel.phase_count; ++p) chunks[p] = kernel.phases[p].chunks(call, threads);
  for (int p = 0; p < kernel.phase_count; ++p) {
    std::vector<int64_t> order(static_cast<size_t>(chunks[p]));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    if (kernel.phases[p].prepare && !order.empty()) kernel.phases[p].prepare(call, thread_scratch.data.get());
    for (int64_t chunk : order) kernel.phases[p].run(call, chunk, thread_scratch.data.get());
  }
}

struct Problem {
  Op op;
  std::vector<RandomWeight> weights;
  int64_t rows, k;
};

// Compares all instruction sets with the definition; returns the number of differing values of the worst.
inline int64_t differences(const Problem& p, Random& random, std::string& where) {
  Graph graph;
  std::vector<WeightId> ids;
  std::vector<const Weight*> weights;
  for (const RandomWeight& w : p.weights) ids.push_back(graph.weight(w.weight)), weights.push_back(&w.weight);
  std::vector<Value> inputs;
  const bool embeds = std::holds_alternative<Embed>(p.op);
  if (!embeds) inputs.push_back(graph.input(p.k));
  const std::vector<Value> outputs = graph.add(p.op, inputs, ids);

  std::vector<float> x = random_rows(random, p.rows, p.k);
  std::vector<Row> rows(static_cast<size_t>(p.rows));
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r].token = embeds && below(random, 5) == 0 ? -1 : below(random, int(weights[0]->n));
    rows[r].embedding = x.data() + int64_t(r) * p.k;
  }
  const Matrix in{x.data(), p.rows, p.k};
  std::vector<std::vector<float>> expected, found;
  std::vector<Matrix> expected_out, found_out;
  for (Value v : outputs) {
    const int64_t cols = graph.values()[size_t(v)].cols;
    expected.emplace_back(size_t(p.rows * cols), 77.f), found.emplace_back(size_t(p.rows * cols), 77.f);
    expected_out.push_back({expected.back().data(), p.rows, cols});
    found_out.push_back({found.back().data(), p.rows, cols});
  }
  OpArgs args{{&in, embeds ? 0u : 1u}, expected_out, weights, {}, {rows, {}}};
  std::visit(
      [&](const auto& op) {
        if constexpr (requires { op.reference(args); }) op.reference(args);
      },
      p.op);
  args.out = found_out;
  int64_t worst = 0;
  for (const cpu::KernelTable* table : tested_tables()) {
    for (auto& f : found) std::fill(f.begin(), f.end(), 55.f);
    const cpu::Kernel& kernel = embeds                                 ? table->embed
                                : std::holds_alternative<Linear>(p.op) ? table->linear
                                                                       : table->gated_linear;
    REQUIRE(kernel.phase_count > 0);
    run_kernel(kernel, graph, args, random);
    int64_t count = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      for (size_t j = 0; j < found[i].size(); ++j) {
        if (same(found[i][j], expected[i][j])) continue;
        if (count++ == 0)
          where = std::string(table->isa) + ": output " + std::to_string(i) + ", value " + std::to_string(j) +
                  ": found " + std::to_string(found[i][j]) + ", expected " + std::to_string(expected[i][j]);
      }
    }
    worst = std::max(worst, count);
  }
  return worst;
}

inline void check(const Problem& p, Random& random, const std::string& what) {
  CAPTURE(what);
  std::string where;
  const int64_t count = differences(p, random, where);
  CAPTURE(where);
  CHECK(count == 0);
}

}  // namespace loam::random_records
