// The CPU backend around its kernels: instruction sets, memory, and that a run does not allocate.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "backends/cpu/cpu.h"
#include "backends/cpu/detect.h"
#include "tests/op_harness.h"

using namespace loam;

namespace {
std::atomic<size_t> allocations{0};
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOAM_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LOAM_SANITIZED
#endif
#endif

#ifndef LOAM_SANITIZED  // the sanitizers bring operators of their own
// Counts every allocation of this test program.
[[gnu::noinline]] void* operator new(size_t bytes, std::align_val_t align) {
  ++allocations;
  const size_t a = std::max(size_t(align), sizeof(void*));
  if (void* p = std::aligned_alloc(a, (std::max<size_t>(bytes, 1) + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t bytes) { return operator new (bytes, std::align_val_t{16}); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }
#endif

TEST_CASE("instruction sets are chosen by name") {
  const std::vector<std::string> all = cpu_instruction_sets();
  REQUIRE(!all.empty());
  CHECK(all.back() == "scalar");
  const char* const before = std::getenv("LOAM_CPU_ISA");
  const std::string kept = before ? before : "";
  for (const std::string& isa : all) {
    CHECK(make_cpu_backend({.threads = 1, .isa = isa})->name() == "cpu/" + isa);
    setenv("LOAM_CPU_ISA", isa.c_str(), 1);
    CHECK(make_cpu_backend(1)->name() == "cpu/" + isa);
  }
  setenv("LOAM_CPU_ISA", "mmx", 1);
  try {
    make_cpu_backend();
    CHECK(false);
  } catch (const Error& e) {
    CHECK(e.code == Code::unsupported);
    CHECK(std::string(e.what()).find("'mmx'") != std::string::npos);
    CHECK(std::string(e.what()).find("scalar") != std::string::npos);
  }
  CHECK(make_cpu_backend({.threads = 1, .isa = "scalar"})->name() == "cpu/scalar");  // an option beats the environment
  unsetenv("LOAM_CPU_ISA");
  CHECK(make_cpu_backend()->name() == "cpu/" + all[0]);
  if (before) setenv("LOAM_CPU_ISA", kept.c_str(), 1);
  CHECK_THROWS_AS(make_cpu_backend(-1), Error);
}

TEST_CASE("memory is zeroed and aligned, and only what is touched is taken") {
  const auto backend = make_cpu_backend(1);
  const auto pool = backend->allocate(size_t(1) << 36);  // more than there is
  CHECK(reinterpret_cast<uintptr_t>(pool->host()) % 64 == 0);
  CHECK(pool->host()[size_t(1) << 35] == std::byte{0});
  const float x = 3;
  float y = 0;
  pool->write(4096, &x, 4);
  pool->copy_within(8192, 4096, 4);
  pool->read(8192, &y, 4);
  CHECK(y == 3);
  CHECK(backend->allocate(0)->size() == 0);
  CHECK_THROWS_AS(backend->allocate(SIZE_MAX - 100), Error);
}

namespace {

// x -> norm -> activate -> norm(with residual): a graph of several nodes whose rows change from run to run.
struct Chain {
  Graph graph;
  std::vector<float> gain = std::vector<float>(100, 1.5f);
  Value in, out;

  explicit Chain(int layers) {
    in = graph.input(100);
    Value x = in;
    const WeightId w = graph.weight({nullptr, 100, 0, true, reinterpret_cast<const std::byte*>(gain.data())});
    for (int i = 0; i < layers; ++i) {
      const Value n = graph.add(RmsNorm{}, {x}, {w})[0];
      const Value a = graph.add(Activate{Activate::Function::silu}, {n})[0];
      RmsNorm add;
      add.add = true;
      x = graph.add(add, {x, a}, {w})[0];
    }
    out = x;
  }

  std::vector<float> run(Backend& backend, int rows, int runs, size_t& allocated) {
    Segment s{&graph, {}, nullptr, {}, {}, 64};
    for (size_t i = 0; i < graph.nodes().size(); ++i) s.nodes.push_back(int(i));
    size_t bytes = 0;
    for (size_t v = 0; v < graph.values().size(); ++v, bytes += 64 * 100 * 4) s.value_offsets.push_back(bytes);
    const auto arena = backend.allocate(bytes);
    s.arena = arena.get();
    float* x = reinterpret_cast<float*>(arena->host() + s.value_offsets[size_t(in)]);
    for (int i = 0; i < rows * 100; ++i) x[i] = float(i % 17) - 7.5f;
    const size_t at = s.value_offsets[size_t(out)];
    const auto plan = backend.plan(s);
    const std::vector<Row> batch(size_t(rows), Row{});
    backend.run(*plan, {batch, {}});  // the first run starts the threads
    const size_t before = allocations;
    for (int i = 0; i < runs; ++i) backend.run(*plan, {batch, {}});
    allocated = allocations - before;
    const float* y = reinterpret_cast<const float*>(arena->host() + at);
    return {y, y + rows * 100};
  }
};

}  // namespace

TEST_CASE("a run allocates nothing, and any number of threads gives the same bits") {
  Chain chain(20);
  std::vector<float> first;
  for (int threads : {1, 2, 3, 4, 9}) {
    for (int rows : {1, 64}) {
      CAPTURE(threads);
      CAPTURE(rows);
      const auto backend = make_cpu_backend({.threads = threads, .isa = "", .crowd = true});
      size_t allocated = 0;
      std::vector<float> y = chain.run(*backend, rows, 5, allocated);
      CHECK(allocated == 0);
      y.resize(100);  // the first row is the same in both
      if (first.empty()) first = y;
      CHECK(tests::difference(first, y, 0) == "");
    }
  }
}

#ifndef LOAM_SANITIZED
TEST_CASE("allocations are counted") {
  const size_t before = allocations;
  const std::vector<int> some(3);
  CHECK(allocations == before + 1);
}
#endif

TEST_CASE("a node without a kernel is refused") {
  Graph graph;
  const Value x = graph.input(4);
  graph.add(Activate{}, {x});
  const auto backend = make_cpu_backend(1);
  CHECK(backend->supports(graph, graph.nodes()[0]));
  Node none;
  none.op = std::monostate{};
  CHECK_FALSE(backend->supports(graph, none));
}
