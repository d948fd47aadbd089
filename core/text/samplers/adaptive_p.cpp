// Adaptive-p: prefers tokens whose probability is near a target, which moves so that the chosen ones keep to it on
// average.
#include <algorithm>
#include <cmath>

#include "core/text/samplers/step.h"

namespace loam {
namespace {

class AdaptiveP : public SamplerStep {
 public:
  AdaptiveP(double target, double decay)
      : target_(target), decay_(decay), sum_(target / (1 - decay)), weight_(1 / (1 - decay)) {}

  void apply(Candidates& c, StepContext& context) override {
    constexpr double kWidth = 0.3, kPeak = 5, kSharpness = 10;  // quadratic near the target, linear far from it
    const double target = std::clamp(2 * target_ - sum_ / weight_, 0.0, 1.0), total = c.weigh();
    const auto preference = [&](const Candidate& x) {
      const double distance = std::abs((x.weight / total - target) / kWidth);
      return kPeak - kSharpness * distance * distance / (1 + distance);
    };
    const std::span<Candidate> items = c.all();
    double all = 0;
    preferences_.clear();
    for (const Candidate& x : items) {
      preferences_.push_back(exp_f64(preference(x)));
      all += preferences_.back();
    }
    double left = context.random.uniform() * all;
    size_t at = 0;
    while (at + 1 < items.size() && (left -= preferences_[at]) >= 0) ++at;
    sum_ = items[at].weight / total + decay_ * sum_;
    weight_ = 1 + decay_ * weight_;
    c.choose(at);
  }

 private:
  double target_, decay_, sum_, weight_;  // moving average of the chosen tokens' probabilities: sum / weight
  std::vector<double> preferences_;
};

}  // namespace

std::unique_ptr<SamplerStep> make_adaptive_p(const SamplerOptions& o) {
  check_option("adaptive_target", o.adaptive_target, -1e6, 1);
  check_option("adaptive_decay", o.adaptive_decay, 0, 0.99);
  return o.adaptive_target < 0 ? nullptr : std::make_unique<AdaptiveP>(o.adaptive_target, o.adaptive_decay);
}

}  // namespace loam
