// Neighbouring nodes that the CPU backend may run as one: the same bits as the definitions whatever else reads the
// value between them, however many rows there are.
#include <doctest/doctest.h>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "core/executor.h"
#include "tests/random_records.h"

namespace loam {
namespace {

using namespace random_records;

enum class Reader { none, another, caller };  // of the normed value, beside the linear

// x, y -> norm -> linear -> norm(x + linear) -> linear: out.
struct Pair {
  Graph graph;
  Value x, y, normed, out;
  std::vector<RandomWeight> weights;

  Pair(Random& random, int k, Reader reader, bool post) {
    x = graph.input(k), y = graph.input(k);
    for (int i = 0; i < 4; ++i) weights.push_back(random_vector(random, k));
    for (const char* type : {"q8_0", "q4_k"}) weights.push_back(random_weight(random, *find_type(type), k, k));
    std::vector<WeightId> w;
    for (const RandomWeight& weight : weights) w.push_back(graph.weight(weight.weight));
    const auto gains = [&](int i) {
      return post ? std::vector<WeightId>{w[size_t(i)], w[size_t(i) + 1]} : std::vector<WeightId>{w[size_t(i)]};
    };
    const std::vector<Value> first = graph.add(RmsNorm{1e-5f, true, post}, {x, y}, gains(0));
    normed = first[1];
    const Value middle = graph.add(Linear{}, {normed}, {w[4]})[0];
    const Value other = reader == Reader::another ? graph.add(Activate{}, {normed})[0] : middle;
    if (reader == Reader::caller) graph.output(normed);
    const std::vector<Value> second = graph.add(RmsNorm{1e-5f, true, post}, {first[0], other}, gains(2));
    const Value last = graph.add(Linear{}, {second[1]}, {w[5]})[0];
    out = graph.add(RmsNorm{1e-5f, true, false}, {second[0], last}, {w[0]})[1];
    graph.output(out);
  }

  std::vector<float> run(std::shared_ptr<Backend> backend, int rows) const {
    Executor executor(graph, {{std::move(backend), make_reference_backend()}, {}}, 0, 40);
    const int64_t k = graph.values()[size_t(x)].cols;
    std::vector<float> values(size_t(rows * k) + 1);
    std::vector<float> found;
    const std::vector<Row> batch(size_t(rows), Row{});
    for (int r = 0; r < 2; ++r) {  // the second run must not see the first
      for (size_t i = 0; i < values.size(); ++i) values[i] = float((i * 31 + size_t(r) * 7) % 23) * 0.2f - 2;
      executor.write_input(x, values.data(), rows);
      executor.write_input(y, values.data() + 1, rows);
      executor.run({batch, {}, nullptr});
      for (Value v : graph.outputs()) found.insert(found.end(), executor.output(v), executor.output(v) + rows * k);
    }
    return found;
  }
};

}  // namespace

TEST_CASE("cpu: a norm and the linear behind it run as one where nobody notices") {
  Random random(5);
  for (int k : {32, 100, 288, 2080}) {
    for (Reader reader : {Reader::none, Reader::another, Reader::caller}) {
      const Pair pair(random, k, reader, k == 100);
      for (int rows : {0, 1, 2, 5, 8, 9, 33}) {
        if (k == 2080 && (reader != Reader::none || (rows != 7 && rows != 8))) continue;  // 7: as many as round alone
        const std::vector<float> want = pair.run(make_reference_backend(), rows);
        for (int threads : {1, 3}) {
          CAPTURE(k);
          CAPTURE(rows);
          CAPTURE(threads);
          const std::vector<float> found =
              pair.run(make_cpu_backend({.threads = threads, .isa = "", .crowd = true}), rows);
          REQUIRE(found.size() == want.size());
          size_t wrong = 0;
          for (size_t i = 0; i < found.size(); ++i) wrong += !same(found[i], want[i]);
          CHECK(wrong == 0);
        }
      }
    }
  }
}

}  // namespace loam
