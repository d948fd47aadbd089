#include "core/executor.h"

#include <algorithm>
#include <limits>

#include "core/host_memory.h"
#include "core/machine.h"
#include "core/profile.h"

namespace loam {
namespace {

constexpr size_t align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// First fit of intervals of life into one arena.
class ArenaPlanner {
 public:
  size_t place(size_t bytes, int first, int last) {
    std::vector<Block> alive;
    for (const Block& b : blocks_) {
      if (b.last >= first && b.first <= last) alive.push_back(b);
    }
    std::sort(alive.begin(), alive.end(), [](const Block& a, const Block& b) { return a.offset < b.offset; });
    size_t offset = 0;
    for (const Block& b : alive) {
      if (offset + bytes <= b.offset) break;
      offset = std::max(offset, b.offset + b.bytes);
    }
    blocks_.push_back({offset, bytes, first, last});
    total_ = std::max(total_, offset + bytes);
    return offset;
  }
  size_t total() const { return total_; }

 private:
  struct Block {
    size_t offset, bytes;
    int first, last;
  };
  std::vector<Block> blocks_;
  size_t total_ = 0;
};

}  // namespace

Executor::Executor(const Graph& graph, Placement placement, size_t pages, int max_rows)
    : graph_(graph), placement_(std::move(placement)), max_rows_(max_rows) {
  if (placement_.backends.empty()) fail(Code::bad_argument, "executor: no backend");
  if (max_rows < 1 || max_rows > kMaxRows)
    fail(Code::bad_argument, "executor: %d rows, expected 1 to %d", max_rows, kMaxRows);
  const AvailableMemory free = available_memory();
  place_states();
  place();
  plan_memory();
  make_arenas_and_states(pages);
  find_copies();
  for (Step& step : steps_) {
    Segment s{&graph_, step.nodes, arenas_[size_t(step.backend)].get(), offsets_, {}, max_rows_};
    for (size_t i = 0; i < states_.size(); ++i)
      s.states.push_back(state_backend_[i] == step.backend ? states_[i].get() : nullptr);
    step.plan = placement_.backends[size_t(step.backend)]->plan(std::move(s));
  }
  require_memory(memory(), free, "a session of this context");  // before anything of it is touched
}

int Executor::wanted_backend(const Node& node) const {
  const bool placed = node.layer >= 0 && size_t(node.layer) < placement_.by_layer.size();
  const int b = placed ? placement_.by_layer[size_t(node.layer)] : 0;
  if (b < 0 || size_t(b) >= placement_.backends.size())
    fail(Code::bad_argument, "executor: layer %d is placed on backend %d of %zu", node.layer, b,
         placement_.backends.size());
  return b;
}

// A state lives where its first node wants to run, or in the last backend if that one lacks an op that touches it; it
// draws all its nodes there.
void Executor::place_states() {
  state_backend_.assign(graph_.states().size(), -1);
  for (const Node& node : graph_.nodes()) {
    if (node.state < 0) continue;
    int& b = state_backend_[size_t(node.state)];
    if (b < 0) b = wanted_backend(node);
    if (!placement_.backends[size_t(b)]->supports(graph_, node)) b = int(placement_.backends.size()) - 1;
  }
}

// Nodes to backends, consecutive ones joined to steps.
void Executor::place() {
  const int last = int(placement_.backends.size()) - 1;
  producer_.assign(graph_.values().size(), 0);
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    int b = wanted_backend(node);
    if (!placement_.backends[size_t(b)]->supports(graph_, node)) {
      const std::string what =
          std::string(op_name(node.op)) + " on " + std::string(placement_.backends[size_t(b)]->name());
      auto it = std::find_if(fallbacks_.begin(), fallbacks_.end(), [&](const auto& f) { return f.first == what; });
      if (it == fallbacks_.end()) it = fallbacks_.insert(fallbacks_.end(), {what, 0});
      ++it->second;
      b = last;
    }
    if (node.state >= 0) b = state_backend_[size_t(node.state)];
    for (WeightId w : node.weights) placement_.backends[size_t(b)]->prepare(graph_.weights()[size_t(w)]);
    for (Value v : node.outputs) producer_[size_t(v)] = b;
    if (steps_.empty() || steps_.back().backend != b) steps_.push_back({b, {}, {}, nullptr});
    steps_.back().nodes.push_back(int(i));
  }
}

// A value lives from the node that makes it to the one after the last that reads it (a backend may run two neighbours
// as one); inputs from the start, outputs to the end. An input and an output of the same node never share memory.
void Executor::plan_memory() {
  const size_t count = graph_.values().size();
  std::vector<int> first(count, 0), last(count, 0);
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    for (Value v : graph_.nodes()[i].outputs) first[size_t(v)] = last[size_t(v)] = int(i);
    for (Value v : graph_.nodes()[i].inputs) last[size_t(v)] = int(i) + 1;
  }
  for (Value v : graph_.outputs()) last[size_t(v)] = std::numeric_limits<int>::max();
  ArenaPlanner planner;
  for (size_t v = 0; v < count; ++v) {
    // At least 64 bytes beyond the rows, so that vector loads may run over the end.
    offsets_.push_back(planner.place(align(value_bytes(Value(v), max_rows_) + 64), first[v], last[v]));
  }
  arena_bytes_ = planner.total();
}

void Executor::make_arenas_and_states(size_t pages) {
  arenas_.resize(placement_.backends.size());
  if (!graph_.inputs().empty()) arenas_[0] = placement_.backends[0]->allocate(arena_bytes_);
  for (const Step& step : steps_) {
    auto& arena = arenas_[size_t(step.backend)];
    if (!arena) arena = placement_.backends[size_t(step.backend)]->allocate(arena_bytes_);
  }
  for (size_t i = 0; i < graph_.states().size(); ++i) {
    const int b = std::max(0, state_backend_[i]);
    states_.push_back(placement_.backends[size_t(b)]->allocate(pages * graph_.states()[i].page_bytes()));
    prefer_huge_pages(*states_.back());
  }
}

uint64_t Executor::memory() const {
  uint64_t bytes = 0;
  for (const auto& arena : arenas_) bytes += arena ? arena->size() : 0;
  for (const auto& state : states_) bytes += state->size();
  for (const Step& step : steps_) bytes += step.plan ? step.plan->bytes() : 0;
  return bytes;
}

void Executor::find_copies() {
  std::vector<std::vector<bool>> present(placement_.backends.size(), std::vector<bool>(graph_.values().size()));
  for (Step& step : steps_) {
    std::vector<bool>& here = present[size_t(step.backend)];
    for (int n : step.nodes) {
      for (Value v : graph_.nodes()[size_t(n)].inputs) {
        if (producer_[size_t(v)] != step.backend && !here[size_t(v)]) step.copies.push_back({v, producer_[size_t(v)]});
        here[size_t(v)] = true;
      }
    }
  }
  size_t largest = 0;
  for (const Step& step : steps_) {
    for (const Copy& c : step.copies) largest = std::max(largest, value_bytes(c.value, max_rows_));
  }
  staging_.resize(largest);
}

void Executor::write_input(Value v, const float* rows, int64_t count) {
  if (count > max_rows_)
    fail(Code::bad_argument, "executor: %lld input rows, planned for %d", (long long)count, max_rows_);
  arenas_[0]->write(offsets_[size_t(v)], rows, value_bytes(v, count));
}

void Executor::copy_value(const Copy& copy, int to, const Run& run) {
  const ValueShape& shape = graph_.values()[size_t(copy.value)];
  const size_t bytes =
      value_bytes(copy.value, int64_t(shape.rows == RowCount::batch ? run.rows.size() : run.outputs.size()));
  const size_t offset = offsets_[size_t(copy.value)];
  Buffer& source = *arenas_[size_t(copy.from)];
  if (const std::byte* direct = source.host()) {
    arenas_[size_t(to)]->write(offset, direct + offset, bytes);
    return;
  }
  source.read(offset, staging_.data(), bytes);
  arenas_[size_t(to)]->write(offset, staging_.data(), bytes);
}

void Executor::run(const Run& run) {
  if (run.rows.size() > size_t(max_rows_) || run.outputs.size() > run.rows.size())
    fail(Code::bad_argument, "executor: %zu rows and %zu outputs, planned for %d", run.rows.size(), run.outputs.size(),
         max_rows_);
  if (run.profile) run.profile->begin_run();
  int previous = -1;
  for (Step& step : steps_) {
    if (previous >= 0) placement_.backends[size_t(previous)]->wait();
    for (const Copy& c : step.copies) copy_value(c, step.backend, run);
    placement_.backends[size_t(step.backend)]->run(*step.plan, run);
    previous = step.backend;
  }
  if (previous >= 0) placement_.backends[size_t(previous)]->wait();
}

const float* Executor::output(Value v) {
  Buffer& arena = *arenas_[size_t(producer_[size_t(v)])];
  if (const std::byte* direct = arena.host()) return reinterpret_cast<const float*>(direct + offsets_[size_t(v)]);
  staging_.resize(std::max(staging_.size(), value_bytes(v, max_rows_)));
  arena.read(offsets_[size_t(v)], staging_.data(), value_bytes(v, max_rows_));
  return reinterpret_cast<const float*>(staging_.data());
}

std::vector<std::string> Executor::fallbacks() const {
  std::vector<std::string> lines;
  for (const auto& [what, count] : fallbacks_) lines.push_back(what + ": " + std::to_string(count));
  return lines;
}

}  // namespace loam
