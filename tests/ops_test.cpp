// Every op on every backend, with its cases, against its definition; and the comparison itself.
#include <doctest/doctest.h>

#include <cstdlib>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "tests/op_harness.h"

using namespace loam;
using namespace loam::tests;

namespace {

using Backends = std::vector<std::unique_ptr<Backend>>;

Backends all_backends() {
  Backends all;
  all.push_back(make_reference_backend());
  for (const std::string& isa : cpu_instruction_sets()) {
    for (int threads : {1, 3}) all.push_back(make_cpu_backend(CpuOptions{threads, isa, true}));
  }
  return all;
}

void check_problem(const Problem& p, const Backends& backends, uint32_t seed) {
  ProblemData data(p, seed);
  for (const auto& backend : backends) {
    INFO(op_name(p.op), " on ", backend->name(), ", ", p.rows, " rows after ", p.past, ", seed ", seed,
         p.special ? ", special values" : "", " ", std::string(p.weights.empty() ? "" : p.weights[0].type));
    CHECK(data.check(*backend) == "");
  }
}

template <class O>
void check_cases() {
  const Backends backends = all_backends();
  uint32_t seed = 1;
  for (const Case<O>& c : O::cases()) {
    Problem p = problem_of(c);
    check_problem(p, backends, seed++);
    if (!p.in.empty()) {
      p.special = true;
      check_problem(p, backends, seed++);
    }
    if (p.state.kv_heads && p.rows > 3) {
      p.special = false;
      p.sequences = 2;
      check_problem(p, backends, seed++);
    }
  }
}

// Runs the definition, and then does what a kernel must not do.
class WrongBackend : public Backend {
 public:
  enum class Fault { none, last_bit, beyond_end, input, nothing };
  WrongBackend(Fault fault) : fault_(fault) {}
  std::string_view name() const override { return "wrong"; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override { return right_->allocate(bytes); }
  bool supports(const Graph&, const Node&) const override { return true; }
  std::unique_ptr<Plan> plan(Segment segment) override {
    segment_ = segment;
    return right_->plan(std::move(segment));
  }
  void run(Plan& plan, const Run& run) override {
    if (fault_ == Fault::nothing) return;
    right_->run(plan, run);
    const Node& node = segment_.graph->nodes()[0];
    const auto at = [&](Value v, size_t index) {
      return segment_.arena->host() + segment_.value_offsets[size_t(v)] + index * 4;
    };
    const Value out = node.outputs[0];
    const size_t count = run.rows.size() * size_t(segment_.graph->values()[size_t(out)].cols);
    if (fault_ == Fault::last_bit) at(out, count - 1)[0] ^= std::byte{1};
    if (fault_ == Fault::beyond_end) at(out, count)[0] ^= std::byte{1};
    if (fault_ == Fault::input) at(node.inputs[0], 0)[3] ^= std::byte{0x80};
  }

 private:
  Fault fault_;
  Segment segment_;
  std::unique_ptr<Backend> right_ = make_reference_backend();
};

}  // namespace

#define OP(Type, file) \
  TEST_CASE("op " #file " equals its definition on every backend") { check_cases<Type>(); }
#include "core/ops/ops.def"
#undef OP

TEST_CASE("attention of random shapes equals its definition") {
  const Backends backends = all_backends();
  const int count = std::getenv("LOAM_TEST_FULL") ? 200 : 24;
  for (uint32_t seed = 1; seed <= uint32_t(count); ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](std::initializer_list<int> from) { return from.begin()[random() % from.size()]; };
    Attention op;
    op.kv_heads = pick({1, 1, 2, 3});
    op.heads = op.kv_heads * pick({1, 2, 3, 5, 7, 16, 18, 32});
    op.head_dim = pick({2, 8, 17, 32, 64, 96, 128});
    op.scale = 0.2f;
    op.window = pick({0, 0, 1, 30, 256, 300});
    op.softcap = pick({0, 0, 20}) * 1.f;
    const KvType type = KvType(random() % 3);
    Problem p{.op = op, .in = {int64_t(op.heads) * op.head_dim}, .rows = pick({1, 2, 4, 5, 16, 17, 40})};
    p.past = pick({0, 15, 200, 250, 511, 777});
    p.state = {type, op.kv_heads, op.head_dim};
    p.sequences = pick({1, 1, 2, 3});
    check_problem(p, backends, seed);
  }
}

TEST_CASE("functions and conversions of any bits equal their definitions") {
  const Backends backends = all_backends();
  const uint32_t seeds = std::getenv("LOAM_TEST_FULL") ? 100 : 2;
  for (uint32_t seed = 1; seed <= seeds; ++seed) {
    for (const Case<Activate>& c : Activate::cases()) {
      Problem p{.op = c.op, .in = {1000}, .rows = 64, .special = true};
      check_problem(p, backends, seed);
    }
    for (KvType type : {KvType::f16, KvType::f32, KvType::q8}) {
      Problem p{
          .op = RopeKv{1, 1, 256}, .in = {256, 256, 256, 256}, .rows = 80, .state = {type, 1, 256}, .special = true};
      check_problem(p, backends, seed);
    }
  }
}

TEST_CASE("a wrong kernel is found") {
  using Fault = WrongBackend::Fault;
  for (const Problem& p : {problem_of(RmsNorm::cases()[2]), problem_of(Activate::cases()[0])}) {
    for (Fault fault : {Fault::last_bit, Fault::beyond_end, Fault::input, Fault::nothing}) {
      WrongBackend wrong(fault);
      CHECK(ProblemData(p, 5).check(wrong) != "");
    }
    WrongBackend right(Fault::none);
    CHECK(ProblemData(p, 5).check(right) == "");
  }
}

TEST_CASE("comparing numbers") {
  const float kInfinite = std::numeric_limits<float>::infinity(), kNan = NAN;
  const std::vector<float> reference = {1, -2, 3};
  const auto nmse_of = [&](std::vector<float> a, std::vector<float> b) { return nmse(a, b); };
  CHECK(difference(reference, reference, 0) == "");
  CHECK(nmse_of(reference, {1, -2, 3}) == 0);
  CHECK(nmse_of(reference, {1, 2, 3}) == doctest::Approx(16. / 14));  // a wrong sign counts
  CHECK(nmse_of({-1, -1}, {-2, -2}) == doctest::Approx(1));
  CHECK(nmse_of(reference, {1, -2}) == kInfinite);
  CHECK(nmse_of(reference, {1, -2, kNan}) == kInfinite);
  CHECK(nmse_of({1, kNan}, {1, kNan}) == 0);
  CHECK(nmse_of({1, kNan}, {1, 0}) == kInfinite);
  CHECK(nmse_of({1, kInfinite}, {1, 1e30f}) == kInfinite);
  CHECK(nmse_of({1, 1e30f}, {1, kInfinite}) == kInfinite);
  CHECK(nmse_of({1, kInfinite}, {1, -kInfinite}) == kInfinite);
  CHECK(nmse_of({1, kInfinite}, {1, kInfinite}) == 0);
  CHECK(nmse_of({0, 0}, {0, 0}) == 0);
  CHECK(nmse_of({0, 0}, {0, 1e-20f}) == kInfinite);
  CHECK(nmse_of({}, {}) == 0);
  const auto bits = [&](float a, float b, double tolerance) { return difference({&a, 1}, {&b, 1}, tolerance); };
  CHECK(bits(0.f, -0.f, 0) != "");
  CHECK(bits(0.f, -0.f, 1e-9) == "");
  CHECK(bits(1.f, std::nextafter(1.f, 2.f), 0) != "");
  CHECK(bits(1.f, std::nextafter(1.f, 2.f), 1e-9) == "");
  CHECK(bits(-1.f, 1.f, 1e-9) != "");
  CHECK(bits(kNan, -kNan, 0) == "");
  CHECK(bits(kNan, 1.f, 0) != "");
  CHECK(bits(kInfinite, 3e38f, 0) != "");
}
