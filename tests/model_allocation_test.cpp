// Decoding does not allocate: every operator new of this program is counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "core/session.h"
#include "tests/memory_model.h"

namespace {
std::atomic<long> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* p = alignment ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                      : std::malloc(bytes ? bytes : 1);
  if (!p) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(std::size_t n) { return counted(n, 0); }
void* operator new[](std::size_t n) { return counted(n, 0); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace loam;

TEST_CASE("decoding token after token allocates nothing, across pages too") {
  ModelConfig c;
  c.dim = 64, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 32, c.ffn_dim = 96, c.vocab = 50, c.context = 512;
  const auto model =
      std::make_shared<Model>(tests::random_model(c, 3, [](const std::string&) { return std::string("n4"); }));
  Session s(model, {{make_cpu_backend({.threads = 2, .isa = ""}), make_reference_backend()}, {}}, {.context = 512});
  CHECK(s.executor().fallbacks().empty());
  const int a = s.create_sequence();
  std::vector<BatchRow> prompt;
  for (int i = 0; i < 20; ++i) prompt.push_back({i, a, i == 19});
  s.decode(prompt);
  const long before = allocations;
  for (int i = 0; i < 150; ++i) {
    const BatchRow row{i % 50, a, true};
    s.decode(std::span(&row, 1));
  }
  CHECK(allocations == before);
  const std::vector<int> proof(1000);  // the counter counts
  CHECK(allocations == before + 1);
}
