// Counts the instructions of the matrix kernels, per output, for every instruction set of this machine, in single
// steps. An emulator traces them itself: `mark` says by which address such a trace is cut into calls.
#include <csignal>
#include <cstdio>
#include <cstring>

#include "core/types/record.h"
#include "tests/cpu_tables.h"

extern "C" {
[[gnu::noinline]] void loam_mark() { asm volatile(""); }
}

namespace loam {
namespace {

// Activation blocks of `block`; tile: six tokens, row: one.
struct Case {
  const char *kernel, *type;
  int block;
};
constexpr Case kCases[] = {
    {"tile", "q8_row", 256}, {"tile", "q4_0", 32}, {"tile", "q4_k", 32}, {"tile", "q6_k", 32},
    {"tile", "n4", 32},      {"tile", "n4h", 256}, {"row", "q8_0", 32},  {"row", "q4_0", 32},
    {"row", "q4_k", 32},     {"row", "q6_k", 32},  {"row", "n4", 32},    {"row", "n4h", 256},
};
constexpr int64_t kRows = 32, kColumns = 256;  // of the matrix

struct Buffer {
  explicit Buffer(size_t n) : data(static_cast<std::byte*>(std::aligned_alloc(64, (n + 8191) / 64 * 64))) {
    std::memset(data, 0, (n + 8191) / 64 * 64);
  }
  ~Buffer() { std::free(data); }
  Buffer(const Buffer&) = delete;
  std::byte* data;
};

// A Linear ready to run: its rounding phase is done.
struct Problem {
  Problem(const cpu::KernelTable& table, const Case& c)
      : kernel(table.linear),
        type(*find_type(std::string_view(c.type))),
        tokens(std::strcmp(c.kernel, "row") ? 6 : 1),
        weight{&type, kRows, kColumns, false, nullptr},
        bytes(matrix_bytes(type, kRows, kColumns)),
        x(size_t(tokens * kColumns) * 4),
        y(size_t(tokens * kRows) * 4) {
    weight.data = bytes.data;
    for (int64_t i = 0; i < tokens * kColumns; ++i) reinterpret_cast<float*>(x.data)[i] = float(i % 7 - 3);
    const Value input = graph.input(kColumns);
    const WeightId id = graph.weight(weight);
    graph.add(Linear{{Activations::Kind::int8, c.block}, 1, 0}, {input}, {id});
    const Node& node = graph.nodes()[0];
    scratch = std::make_unique<Buffer>(kernel.scratch_bytes(graph, node, int(tokens)));
    thread_scratch = std::make_unique<Buffer>(kernel.thread_scratch_bytes(graph, node, int(tokens)));
    in = {reinterpret_cast<float*>(x.data), tokens, kColumns};
    out = {reinterpret_cast<float*>(y.data), tokens, kRows};
    call.op = &node.op;
    call.in = &in, call.out = &out, call.inputs = call.outputs = 1;
    call.weights = &weights;
    call.run = &run;
    call.scratch = scratch->data;
    call.chunks = chunks;
    for (int p = 0; p < kernel.phase_count; ++p) chunks[p] = kernel.phases[p].chunks(call, 1);
    for (int64_t i = 0; i < chunks[0]; ++i) kernel.phases[0].run(call, i, thread_scratch->data);
    if (kernel.phases[1].prepare) kernel.phases[1].prepare(call, thread_scratch->data);
    multiply();  // pages and symbols are there
  }
  void multiply() {
    for (int64_t i = 0; i < chunks[1]; ++i) kernel.phases[1].run(call, i, thread_scratch->data);
  }
  double outputs() const { return double(tokens * kRows); }

  const cpu::Kernel& kernel;
  const TypeInfo& type;
  int64_t tokens;
  Weight weight;
  Buffer bytes, x, y;
  std::unique_ptr<Buffer> scratch, thread_scratch;
  Graph graph;
  Matrix in, out;
  const Weight* weights = &weight;
  Run run{};
  int64_t chunks[3] = {};
  cpu::Call call{};
};

#if defined(__x86_64__)
volatile long steps;

// Instructions of work(): the processor traps after each one, into a handler that counts.
template <class Work>
long count_steps(Work work) {
  std::signal(SIGTRAP, [](int) { steps = steps + 1; });
  steps = 0;
  asm volatile("lea -128(%%rsp),%%rsp\n\tpushfq\n\torq $0x100,(%%rsp)\n\tpopfq\n\tlea 128(%%rsp),%%rsp" ::
                   : "memory", "cc");
  work();
  asm volatile("lea -128(%%rsp),%%rsp\n\tpushfq\n\tandq $-0x101,(%%rsp)\n\tpopfq\n\tlea 128(%%rsp),%%rsp" ::
                   : "memory", "cc");
  return steps;
}

int count_all() {
  for (const cpu::KernelTable* table : tested_tables()) {
    if (!std::strcmp(table->isa, "scalar")) continue;  // the others' definition, and long
    for (const Case& c : kCases) {
      Problem problem(*table, c);
      const long count = count_steps([&] { problem.multiply(); });
      std::printf("%s %s %s %d %.2f\n", table->isa, c.kernel, c.type, c.block, double(count) / problem.outputs());
    }
  }
  return 0;
}
#else
int count_all() { return std::puts("SKIPPED: single steps are known for x86-64 only"), 77; }
#endif

// What a trace of instructions is cut by: the mark's address, then a name and its outputs per pair of marks.
int mark_all() {
  std::printf("mark %016lx\n", reinterpret_cast<unsigned long>(&loam_mark));
  for (const cpu::KernelTable* table : tested_tables()) {
    if (!std::strcmp(table->isa, "scalar")) continue;
    for (const Case& c : kCases) {
      Problem problem(*table, c);
      loam_mark();
      problem.multiply();
      loam_mark();
      std::printf("%s %s %s %d %.0f\n", table->isa, c.kernel, c.type, c.block, problem.outputs());
    }
  }
  return 0;
}

}  // namespace
}  // namespace loam

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (!std::strcmp(what, "compiler")) return std::puts(__VERSION__) < 0;
  if (!std::strcmp(what, "count")) return loam::count_all();
  if (!std::strcmp(what, "mark")) return loam::mark_all();
  std::fputs("usage: instructions_tool compiler|count|mark\n", stderr);
  return 2;
}
