// The CPU backend's matrix kernels against their definition, bit for bit: every type and policy, raw records with all
// values that fields can hold, sizes that break SIMD, rows added to the type table at run time, every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>

#include "backends/cpu/detect.h"
#include "core/types/tables.h"

namespace loam {
namespace {

using Random = std::mt19937_64;
int below(Random& random, int n) { return int(random() % uint64_t(n)); }
template <class T>
T pick(Random& random, std::initializer_list<T> from) {
  return from.begin()[below(random, int(from.size()))];
}

struct Bytes {  // 64-byte aligned, filled so that reading what nobody wrote shows
  explicit Bytes(size_t n, int fill = 0xa5)
      : size(n), data(static_cast<std::byte*>(std::aligned_alloc(64, (n + 127) / 64 * 64)), std::free) {
    std::memset(data.get(), fill, (n + 127) / 64 * 64);
  }
  size_t size;
  std::unique_ptr<std::byte, decltype(&std::free)> data;
};

int random_int(Random& random, IntFormat format) {
  switch (format) {
    case IntFormat::none: return 0;
    case IntFormat::u4: return below(random, 16);
    case IntFormat::u6: return below(random, 64);
    case IntFormat::u8: return below(random, 256);
    case IntFormat::i6: return below(random, 64) - 32;
    case IntFormat::i8: return below(random, 256) - 128;
    case IntFormat::st8: return below(random, 127) - 63;
    case IntFormat::st5: return below(random, 15) - 7;
  }
  return 0;
}

float random_scale(Random& random) {
  const int kind = below(random, 20);
  if (kind == 0) return 0.f;
  if (kind == 1) return 3e-8f * float(1 + below(random, 900));  // subnormal in f16
  const float x = std::ldexp(1.f + float(below(random, 1024)) / 1024, below(random, 12) - 10);
  return kind < 8 ? -x : x;
}

// s and m such that every level's v is an int8, which is what the types of the grid promise.
void fit_grid(Random& random, const TypeInfo& type, int t, int16_t& s, int16_t& m) {
  for (int tries = 0; tries < 50; ++tries) {
    s = int16_t(random_int(random, type.s)), m = int16_t(random_int(random, type.m));
    bool fits = true;
    for (int code = 0; code < 1 << type.bits; ++code) {
      const int v = (type.s == IntFormat::none ? 1 : s) * level_of(type, code, t) - m;
      fits = fits && v >= -128 && v <= 127;
    }
    if (fits) return;
  }
  s = 1, m = 0;
}

RowFields random_fields(Random& random, const TypeInfo& type, int64_t k) {
  RowFields f;
  f.resize(type, k);
  for (auto& c : f.codes) c = uint8_t(random() & ((1u << type.bits) - 1));
  const bool has_t = type.s == IntFormat::st8 || type.s == IntFormat::st5;
  for (size_t g = 0; g < f.t.size(); ++g) {
    f.t[g] = has_t ? uint8_t(random() & 1) : 0;
    int16_t s = int16_t(random_int(random, type.s)), m = int16_t(random_int(random, type.m));
    if (type.family == Family::grid) fit_grid(random, type, f.t[g], s, m);
    if (!f.s.empty()) f.s[g] = s;
    if (!f.m.empty()) f.m[g] = m;
  }
  const bool bytes = type.d == FloatFormat::e8m0_half;
  for (auto& d : f.d) d = bytes ? uint32_t(below(random, 160)) : float_to_bits(type.d, random_scale(random));
  for (auto& e : f.e) e = float_to_bits(type.e, random_scale(random));
  return f;
}

struct RandomWeight {
  Weight weight;
  Bytes bytes;
};

RandomWeight random_weight(Random& random, const TypeInfo& type, int64_t n, int64_t k) {
  RandomWeight w{{&type, n, k, false, nullptr}, Bytes(matrix_bytes(type, n, k), 0)};
  w.weight.data = w.bytes.data.get();
  std::normal_distribution<float> normal;
  std::vector<float> row(static_cast<size_t>(k * kTileRows));
  for (int64_t block = 0; block < row_blocks(n); ++block) {
    std::byte* record = w.bytes.data.get() + uint64_t(block) * row_block_bytes(type, k);
    const int rows = int(std::min(kTileRows, n - block * kTileRows));
    if (type.family == Family::plain) {
      for (float& x : row) x = normal(random);
      quantize_row_block(type, k, row.data(), rows, record);
    } else {
      for (int r = 0; r < rows; ++r) pack_row(type, k, random_fields(random, type, k), r, record);
    }
  }
  return w;
}

RandomWeight random_vector(Random& random, int64_t n) {
  RandomWeight w{{nullptr, n, 0, true, nullptr}, Bytes(size_t(n) * 4)};
  w.weight.data = w.bytes.data.get();
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < n; ++i) reinterpret_cast<float*>(w.bytes.data.get())[i] = normal(random);
  return w;
}

std::vector<float> random_rows(Random& random, int64_t rows, int64_t k) {
  std::vector<float> x(size_t(rows * k));
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(random);
  for (int64_t r = 0; r < rows; ++r) {
    float* row = x.data() + r * k;
    const int kind = below(random, 12);
    if (kind == 0) std::fill(row, row + std::min<int64_t>(k, 40), 0.f);
    if (kind == 1) std::fill(row, row + std::min<int64_t>(k, 40), 1e-35f);
    if (kind == 2) row[below(random, int(k))] = 1e30f;
    if (kind == 3) row[below(random, int(k))] = pick(random, {INFINITY, -INFINITY, NAN});
  }
  return x;
}

bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

// The op's kernel of one instruction set, its chunks in random order.
void run_kernel(const cpu::Kernel& kernel, const Graph& graph, const OpArgs& args, Random& random) {
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
    for (int64_t chunk : order) kernel.phases[p].run(call, chunk, thread_scratch.data.get());
  }
}

struct Problem {
  Op op;
  std::vector<RandomWeight> weights;
  int64_t rows, k;
};

// Compares all instruction sets with the definition; returns the number of differing values of the worst.
int64_t differences(const Problem& p, Random& random, std::string& where) {
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
  for (const cpu::KernelTable* table : cpu::available_tables()) {
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

void check(const Problem& p, Random& random, const std::string& what) {
  CAPTURE(what);
  std::string where;
  const int64_t count = differences(p, random, where);
  CAPTURE(where);
  CHECK(count == 0);
}

Problem linear_problem(Random& random, const TypeInfo& type, int64_t n, int64_t k, int64_t rows, Activations a) {
  Problem p{Linear{a, 1, 0}, {}, rows, k};
  p.weights.push_back(random_weight(random, type, n, k));
  return p;
}

const std::initializer_list<int> kColumns = {1, 7, 31, 33, 64, 256, 288, 576, 640, 896, 1536, 8960};
const std::initializer_list<int> kRows = {1, 15, 16, 17, 33}, kTokens = {0, 1, 2, 3, 5, 6, 7, 8, 13, 31},
                                 kBlocks = {16, 32, 64, 128, 256};

std::string describe(const TypeInfo& type, int n, int k, int m, const Activations& a) {
  return std::string(type.name) + " n " + std::to_string(n) + " k " + std::to_string(k) + " tokens " +
         std::to_string(m) + (a.kind == Activations::Kind::f32 ? " f32" : " block " + std::to_string(a.block));
}

void check_linear(Random& random, const TypeInfo& type, int n, int k, int m, Activations a) {
  check(linear_problem(random, type, n, k, m, a), random, describe(type, n, k, m, a));
}

Activations random_policy(Random& random) {
  return {below(random, 6) == 0 ? Activations::Kind::f32 : Activations::Kind::int8, pick(random, kBlocks)};
}

bool full_test() { return std::getenv("LOAM_TEST_FULL") != nullptr; }

uint64_t test_seed() {
  const char* given = std::getenv("LOAM_TEST_SEED");
  return given ? std::strtoull(given, nullptr, 0) : 1;
}

TEST_CASE("cpu: linear equals its definition for every type") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  for (const TypeInfo& type : all_types()) {
    for (int i = 0; i < 12; ++i) {
      const int k = i < 2 ? pick(random, {576, 1536}) : pick(random, kColumns);
      const int m = k > 2000 ? pick(random, {1, 13}) : pick(random, kTokens);
      check_linear(random, type, pick(random, kRows), k, m, random_policy(random));
    }
  }
}

TEST_CASE("cpu: linear equals its definition in the full sweep" * doctest::skip(!full_test())) {
  Random random(test_seed());
  for (const TypeInfo& type : all_types()) {
    for (int k : kColumns) {
      for (int n : kRows) {
        for (int m : kTokens) {
          for (int block : kBlocks) {
            if (int64_t(k) * n * m > 2000000 && below(random, 8)) continue;
            check_linear(random, type, n, k, m, {Activations::Kind::int8, block});
          }
          check_linear(random, type, n, k, m, {Activations::Kind::f32, 32});
        }
      }
    }
  }
}

TEST_CASE("cpu: many matrices of many types share an input") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 40; ++i) {
    const int64_t k = pick(random, {33, 256, 288, 576}), rows = pick(random, kTokens);
    Linear op{random_policy(random), 1 + below(random, 4), 0};
    Problem p{op, {}, rows, k};
    std::string what = "rows " + std::to_string(rows) + " k " + std::to_string(k);
    for (int j = 0; j < op.matrices; ++j) {
      const TypeInfo& type = all_types()[size_t(below(random, int(all_types().size())))];
      p.weights.push_back(random_weight(random, type, 1 + below(random, 90), k));
      what += " " + std::string(type.name) + " n " + std::to_string(p.weights.back().weight.n);
    }
    for (int j = 0; j < op.matrices; ++j) {
      if (!below(random, 2)) continue;
      op.biases |= 1u << j;
      p.weights.push_back(random_vector(random, p.weights[size_t(j)].weight.n));
    }
    p.op = op;
    check(p, random, what);
  }
}

TEST_CASE("cpu: gated_linear equals its definition") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 60; ++i) {
    const int64_t k = pick(random, {31, 256, 288, 576}), rows = pick(random, kTokens), n = 1 + below(random, 70);
    const TypeInfo* types[2];
    for (auto& t : types) t = &all_types()[size_t(below(random, int(all_types().size())))];
    if (below(random, 2)) types[1] = types[0];
    Problem p{GatedLinear{random_policy(random), below(random, 2) ? Gate::silu : Gate::gelu_tanh}, {}, rows, k};
    for (const TypeInfo* t : types) p.weights.push_back(random_weight(random, *t, n, k));
    check(p, random,
          std::string(types[0]->name) + " " + std::string(types[1]->name) + " n " + std::to_string(n) + " k " +
              std::to_string(k) + " rows " + std::to_string(rows));
  }
}

TEST_CASE("cpu: embed equals its definition for every type") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  for (const TypeInfo& type : all_types()) {
    for (int k : {1, 33, 256, 576, 640}) {
      Problem p{Embed{pick(random, {1.f, 25.298f})}, {}, pick(random, {0, 1, 9}), k};
      p.weights.push_back(random_weight(random, type, 35, k));
      check(p, random, std::string(type.name) + " k " + std::to_string(k));
    }
  }
}

// Rows that nobody has written a kernel for.
TEST_CASE("cpu: rows added to the type table need no kernel") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  using F = FloatFormat;
  using I = IntFormat;
  constexpr auto kGrid = Family::grid, kScaled = Family::scaled;
  constexpr auto table = tables::kN4;
  const TypeInfo rows[] = {
      {.id = 60001,
       .name = "cpu_4bit_g16",
       .family = kGrid,
       .bits = 4,
       .zero = 8,
       .group = 16,
       .s = I::u4,
       .block = 256,
       .d = F::f16},
      {.id = 60002,
       .name = "cpu_4bit_u6",
       .family = kScaled,
       .bits = 4,
       .group = 32,
       .s = I::u6,
       .m = I::u6,
       .block = 128,
       .d = F::bf16,
       .e = F::f32},
      {.id = 60003,
       .name = "cpu_6bit",
       .family = kGrid,
       .bits = 6,
       .zero = 32,
       .group = 64,
       .s = I::st5,
       .block = 64,
       .d = F::f16},
      {.id = 60004,
       .name = "cpu_1bit",
       .family = kScaled,
       .bits = 1,
       .group = 128,
       .s = I::i8,
       .m = I::u8,
       .block = 0,
       .d = F::f32,
       .e = F::f16},
      {.id = 60005,
       .name = "cpu_5bit_m",
       .family = kGrid,
       .bits = 5,
       .group = 256,
       .m = I::u6,
       .block = 256,
       .d = F::f16},
      {.id = 60006,
       .name = "cpu_3bit_table",
       .family = kGrid,
       .bits = 3,
       .tables = {table, nullptr},
       .group = 0,
       .block = 16,
       .d = F::f16},
      {.id = 60007,
       .name = "cpu_2bit_tables",
       .family = kScaled,
       .bits = 2,
       .tables = {table, tables::kN4Shifted},
       .group = 16,
       .s = I::st8,
       .m = I::u4,
       .block = 64,
       .d = F::f16,
       .e = F::bf16},
      {.id = 60009,
       .name = "cpu_unlike_tables",
       .family = kScaled,
       .bits = 4,
       .tables = {table, tables::kMxfp4},
       .group = 32,
       .s = I::st5,
       .block = 32,
       .d = F::f16},
      {.id = 60008,
       .name = "cpu_8bit",
       .family = kScaled,
       .bits = 8,
       .zero = 128,
       .group = 64,
       .s = I::i6,
       .block = 256,
       .d = F::f16},
  };
  for (const TypeInfo& row : rows) {
    if (!find_type(row.id)) REQUIRE(add_type(row));
    const TypeInfo& type = *find_type(row.id);
    for (int i = 0; i < 16; ++i) {
      check_linear(random, type, pick(random, kRows), pick(random, {33, 288, 576, 896}), pick(random, kTokens),
                   random_policy(random));
    }
    Problem p{Embed{1.5f}, {}, 3, 333};
    p.weights.push_back(random_weight(random, type, 35, 333));
    check(p, random, std::string(type.name));
  }
}

TEST_CASE("cpu: a wrong result is seen") {
  CHECK(same(1.f, 1.f));
  CHECK(same(NAN, -NAN));
  CHECK_FALSE(same(0.f, -0.f));
  CHECK_FALSE(same(1.f, std::nextafter(1.f, 2.f)));
  CHECK_FALSE(same(1.f, NAN));
}

}  // namespace
}  // namespace loam
