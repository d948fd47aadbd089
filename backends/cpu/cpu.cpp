#include "backends/cpu/cpu.h"

#include <algorithm>
#include <cstdlib>

#include "backends/cpu/detect.h"
#include "backends/cpu/team.h"
#include "core/host_memory.h"
#include "core/machine.h"
#include "core/profile.h"

namespace loam {
namespace cpu {
namespace {

constexpr size_t kAlign = 128;
size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

const Kernel& kernel_of(const KernelTable& table, const Op& op) {
  static const Kernel kNone;
  const Kernel* const kernels[] = {
#define OP(Type, file) &table.file,
#include "core/ops/ops.def"
#undef OP
      &kNone};
  return *kernels[op.index()];
}

// Nodes bound to memory; per run only the row counts change.
class CpuPlan : public Plan {
 public:
  CpuPlan(const KernelTable& table, Segment segment, int threads)
      : segment_(std::move(segment)), threads_(threads), prepared_(size_t(threads)), team_(count_phases(table)) {
    const Graph& graph = *segment_.graph;
    size_t values = 0, weights = 0, scratch = 0;
    for (int n : segment_.nodes) {
      const Node& node = graph.nodes()[size_t(n)];
      values += node.inputs.size() + node.outputs.size();
      weights += node.weights.size();
    }
    matrices_.reserve(values);
    rows_.reserve(values);
    weights_.reserve(weights);
    for (int n : segment_.nodes) {
      const Node& node = graph.nodes()[size_t(n)];
      const Kernel& kernel = kernel_of(table, node.op);
      bind(n, kernel);
      if (kernel.scratch_bytes) scratch = std::max(scratch, kernel.scratch_bytes(graph, node, segment_.max_rows));
      if (kernel.thread_scratch_bytes)
        thread_bytes_ = std::max(thread_bytes_, aligned(kernel.thread_scratch_bytes(graph, node, segment_.max_rows)));
    }
    scratch = aligned(scratch);
    scratch_ = std::make_unique<HostBuffer>(scratch + size_t(threads_) * thread_bytes_);
    thread_scratch_ = scratch_->host() + scratch;
    for (Call& call : calls_) call.scratch = scratch_->host();
  }

  size_t bytes() const override { return scratch_->size(); }

  void run(const Run& run) {
    const bool same =
        run.rows.size() == run_.rows.size() && run.outputs.size() == run_.outputs.size() && phases_begun_ > 1;
    run_ = run;
    phases_begun_ += phases_.size();
    divide(same);
    if (run.profile) return run_profiled(*run.profile);
    team_.run(threads_, work, this);
  }

 private:
  struct BoundPhase {
    const Phase* phase;
    const Call* call;
    int node;
  };

  // How this run's work divides. With the row counts of the run before, only what touches a state may differ.
  void divide(bool same) {
    for (size_t i = 0; i < matrices_.size() && !same; ++i)
      matrices_[i].rows = int64_t(rows_[i] == RowCount::batch ? run_.rows.size() : run_.outputs.size());
    for (size_t i = 1; i < calls_.size(); ++i) {
      const Kernel* kernel = absorbers_[i];
      if (kernel && !(same && !calls_[i].state.data))
        calls_[i].before = kernel->absorbs(calls_[i], calls_[i - 1]) ? &calls_[i - 1] : nullptr;
    }
    for (size_t p = 0; p < phases_.size(); ++p) {
      const Call* call = phases_[p].call;
      if (same && !call->state.data) continue;
      const bool absorbed = call != &calls_.back() && call[1].before == call;
      chunks_[p] = absorbed ? 0 : phases_[p].phase->chunks(*call, threads_);
      team_.set_chunks(p, chunks_[p]);
    }
  }

  void run_profiled(Profile& profile) {
    std::vector<PhaseStamp> stamps(size_t(threads_) * phases_.size());
    team_.set_stamps(stamps.data());
    const int64_t begin = stamp_now();
    team_.run(threads_, work, this);
    sum_phase_times(stamps, phases_.size(), begin, stamp_now(), [&](size_t p, double busy, double waiting) {
      profile.add(phases_[p].node, phases_[p].phase->name, busy, waiting);
    });
    team_.set_stamps(nullptr);
  }

  struct alignas(128) LastPrepared {
    uint64_t phase = 0;  // counted over all runs
  };

  size_t count_phases(const KernelTable& table) {
    size_t count = 0;
    for (int n : segment_.nodes) count += size_t(kernel_of(table, segment_.graph->nodes()[size_t(n)].op).phase_count);
    phases_.reserve(count);
    chunks_.resize(count);
    calls_.reserve(segment_.nodes.size());
    absorbers_.reserve(segment_.nodes.size());
    return count;
  }

  const Matrix* bind_values(const std::vector<Value>& values) {
    const size_t first = matrices_.size();
    for (Value v : values) {
      matrices_.push_back(bind_value(segment_, v, run_));
      rows_.push_back(segment_.graph->values()[size_t(v)].rows);
    }
    return matrices_.data() + first;
  }

  void bind(int index, const Kernel& kernel) {
    const Node& node = segment_.graph->nodes()[size_t(index)];
    Call call{};
    call.op = &node.op;
    call.in = bind_values(node.inputs);
    call.out = bind_values(node.outputs);
    call.inputs = int(node.inputs.size());
    call.outputs = int(node.outputs.size());
    call.weights = weights_.data() + weights_.size();
    for (WeightId w : node.weights) weights_.push_back(&segment_.graph->weights()[size_t(w)]);
    call.state = bind_state(segment_, node);
    call.run = &run_;
    call.chunks = chunks_.data() + phases_.size();
    const int before = calls_.empty() ? -1 : segment_.nodes[calls_.size() - 1];
    absorbers_.push_back(kernel.absorbs && before >= 0 && may_absorb(before, index) ? &kernel : nullptr);
    calls_.push_back(call);
    for (int i = 0; i < kernel.phase_count; ++i) phases_.push_back({&kernel.phases[i], &calls_.back(), index});
  }

  // Whether the second node can do the work of the first while its own outputs are written.
  bool may_absorb(int first, int second) const {
    const Graph& graph = *segment_.graph;
    const Node &before = graph.nodes()[size_t(first)], &node = graph.nodes()[size_t(second)];
    const auto reads = [](const Node& n, Value v) { return std::count(n.inputs.begin(), n.inputs.end(), v) > 0; };
    for (Value v : before.outputs) {  // what stays with the threads may have no other reader
      if (!reads(node, v)) continue;
      const auto& kept = graph.outputs();
      if (std::count(kept.begin(), kept.end(), v)) return false;
      for (const Node& n : graph.nodes()) {
        if (&n != &node && reads(n, v)) return false;
      }
    }
    for (Value in : before.inputs) {
      for (Value out : node.outputs) {
        if (overlap(in, out)) return false;
      }
    }
    return true;
  }

  bool overlap(Value a, Value b) const {
    const auto begin = [&](Value v) { return segment_.value_offsets[size_t(v)]; };
    const auto end = [&](Value v) {
      return begin(v) + size_t(segment_.graph->values()[size_t(v)].cols * segment_.max_rows) * sizeof(float);
    };
    return begin(a) < end(b) && begin(b) < end(a);
  }

  static void work(void* context, size_t phase, int64_t chunk, int thread) {
    CpuPlan& plan = *static_cast<CpuPlan*>(context);
    const BoundPhase& p = plan.phases_[phase];
    std::byte* scratch = plan.thread_scratch_ + size_t(thread) * plan.thread_bytes_;
    uint64_t& prepared = plan.prepared_[size_t(thread)].phase;
    if (p.phase->prepare && prepared != plan.phases_begun_ + phase) {
      p.phase->prepare(*p.call, scratch);
      prepared = plan.phases_begun_ + phase;
    }
    p.phase->run(*p.call, chunk, scratch);
  }

  Segment segment_;
  int threads_;
  std::vector<Matrix> matrices_;  // reserved: pointers into these vectors stay
  std::vector<RowCount> rows_;    // of each matrix
  std::vector<const Weight*> weights_;
  std::vector<Call> calls_;
  std::vector<const Kernel*> absorbers_;  // by call: whose absorbs() to ask about the one before; null: nobody's
  std::vector<BoundPhase> phases_;
  std::vector<LastPrepared> prepared_;  // by thread
  uint64_t phases_begun_ = 1;           // of all runs before this one
  std::vector<int64_t> chunks_;         // of each phase in this run
  Team team_;
  Run run_;
  std::unique_ptr<HostBuffer> scratch_;  // of the node that runs, then one part per thread
  std::byte* thread_scratch_ = nullptr;
  size_t thread_bytes_ = 0;
};

class CpuBackend : public Backend {
 public:
  CpuBackend(const KernelTable& table, int threads)
      : table_(table), threads_(threads), name_(std::string("cpu/") + table.isa) {}

  std::string_view name() const override { return name_; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override { return std::make_unique<HostBuffer>(bytes); }
  bool supports(const Graph&, const Node& node) const override { return kernel_of(table_, node.op).phase_count > 0; }
  std::unique_ptr<Plan> plan(Segment segment) override {
    for (int n : segment.nodes) {
      const Op& op = segment.graph->nodes()[size_t(n)].op;
      const std::string_view op_text = op_name(op);
      if (kernel_of(table_, op).phase_count == 0)
        fail(Code::unsupported, "%s: no kernel for %.*s", name_.c_str(), int(op_text.size()), op_text.data());
    }
    return std::make_unique<CpuPlan>(table_, std::move(segment), threads_);
  }
  void run(Plan& plan, const Run& run) override { static_cast<CpuPlan&>(plan).run(run); }

 private:
  const KernelTable& table_;
  int threads_;
  std::string name_;
};

}  // namespace
}  // namespace cpu

std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options) {
  if (options.threads < 0 || options.threads > 4096)
    fail(Code::bad_argument, "cpu: %d threads, expected 1 to 4096, or 0 for all processors", options.threads);
  const char* forced = std::getenv("LOAM_CPU_ISA");
  const std::string isa = !options.isa.empty() ? options.isa : forced ? forced : "";
  int threads = options.threads ? options.threads : usable_processors();
  if (!options.crowd) threads = std::min(threads, allowed_processors());
  return std::make_unique<cpu::CpuBackend>(cpu::find_table(isa), threads);
}

std::vector<std::string> cpu_instruction_sets() {
  std::vector<std::string> names;
  for (const cpu::KernelTable* table : cpu::available_tables()) names.push_back(table->isa);
  return names;
}

}  // namespace loam
