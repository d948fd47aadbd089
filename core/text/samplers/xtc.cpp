// XTC ("exclude top choices"): now and then removes every token that is likely enough, but for the least likely of
// them.
#include <algorithm>

#include "core/text/samplers/step.h"

namespace loam {
namespace {

struct Xtc : SamplerStep {
  double probability, threshold;
  std::vector<int32_t> removed;
  Xtc(double p, double t) : probability(p), threshold(t) {}
  void apply(Candidates& c, StepContext& context) override {
    if (!c.has_choice() || context.random.uniform() >= probability) return;
    double least;
    const std::span<const Candidate> likely = c.survey_share(threshold, least);
    const Candidate* last = nullptr;  // the least likely of the likely ones
    for (const Candidate& x : likely) {
      if (x.weight >= least && (!last || likelier(*last, x))) last = &x;
    }
    removed.clear();
    for (const Candidate& x : likely) {
      if (last && likelier(x, *last)) removed.push_back(x.id);
    }
    std::sort(removed.begin(), removed.end());
    if (!removed.empty()) c.drop(removed, double(last->logit));
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
