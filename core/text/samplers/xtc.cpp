// XTC ("exclude top choices"): now and then removes every token that is likely enough, but for the least likely of
// them.
#include "core/text/samplers/step.h"

namespace loam {
namespace {

struct Xtc : SamplerStep {
  double probability, threshold;
  Xtc(double p, double t) : probability(p), threshold(t) {}
  void apply(Candidates& c, StepContext& context) override {
    if (c.all().size() < 2 || context.random.uniform() >= probability) return;
    const double least = threshold * c.weigh();
    const Candidate* last = nullptr;  // the least likely of the likely ones
    for (const Candidate& x : c.all()) {
      if (x.weight >= least && (!last || likelier(*last, x))) last = &x;
    }
    if (!last) return;
    const Candidate bound = *last;
    c.keep_if([&](const Candidate& x) { return !likelier(x, bound); });
  }
};

}  // namespace

std::unique_ptr<SamplerStep> make_xtc(const SamplerOptions& o) {
  check_option("xtc_probability", o.xtc_probability, 0, 1);
  check_option("xtc_threshold", o.xtc_threshold, 0, 1);
  if (o.xtc_probability <= 0 || o.xtc_threshold > 0.5f) return nullptr;
  return std::make_unique<Xtc>(o.xtc_probability, o.xtc_threshold);
}

}  // namespace loam
