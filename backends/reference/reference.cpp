#include "backends/reference/reference.h"

#include <chrono>

#include "core/host_memory.h"
#include "core/profile.h"

namespace loam {
namespace {

struct ReferencePlan final : Plan {
  explicit ReferencePlan(Segment s) : segment(std::move(s)) {}
  Segment segment;
};

void run_node(const Segment& segment, const Node& node, const Run& run) {
  std::vector<Matrix> in, out;
  std::vector<const Weight*> weights;
  for (Value v : node.inputs) in.push_back(bind_value(segment, v, run));
  for (Value v : node.outputs) out.push_back(bind_value(segment, v, run));
  for (WeightId w : node.weights) weights.push_back(&segment.graph->weights()[size_t(w)]);
  const OpArgs args{in, out, weights, bind_state(segment, node), run};
  std::visit(
      [&](const auto& op) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, std::monostate>) op.reference(args);
      },
      node.op);
}

class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override { return std::make_unique<HostBuffer>(bytes); }
  bool supports(const Graph&, const Node&) const override { return true; }
  std::unique_ptr<Plan> plan(Segment segment) override { return std::make_unique<ReferencePlan>(std::move(segment)); }
  void run(Plan& plan, const Run& run) override {
    const Segment& segment = static_cast<ReferencePlan&>(plan).segment;
    for (int n : segment.nodes) {
      const Node& node = segment.graph->nodes()[size_t(n)];
      if (!run.profile) {
        run_node(segment, node, run);
        continue;
      }
      const auto start = std::chrono::steady_clock::now();
      run_node(segment, node, run);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      run.profile->add(n, "", seconds.count(), 0);
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace loam
