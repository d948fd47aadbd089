// The CPU backend's matrix kernels against their definition, bit for bit: every type and policy, raw records with all
// values that fields can hold, sizes that break SIMD, rows added to the type table at run time, every instruction set.
#include "core/types/tables.h"
#include "tests/cpu_linear_problem.h"

namespace loam {
namespace {

using namespace random_records;

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

TEST_CASE("cpu: linear equals its definition for every number of few tokens") {
  const uint64_t seed = test_seed();
  CAPTURE(seed);
  Random random(seed);
  for (const TypeInfo& type : all_types()) {
    for (int m = 2; m <= 17; ++m) {
      for (int block : {32, 256}) check_linear(random, type, 17, 304, m, {Activations::Kind::int8, block});
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
