// Locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise is nearest to the entropy.
#include <algorithm>
#include <cmath>

#include "core/math.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

class Typical : public SamplerStep {
 public:
  explicit Typical(double p) : p_(p) {}

  void apply(Candidates& c, StepContext&) override {
    const std::span<Candidate> items = c.all();
    const double entropy = c.entropy(), total = c.weigh(), log_total = natural_log(total), largest = c.largest();
    ranked_.resize(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const double surprise = log_total - (double(items[i].logit) - largest) / c.temperature();
      ranked_[i] = {std::abs(surprise - entropy), &items[i]};
    }
    keep_.assign(items.size(), false);
    double sum = 0;
    for (size_t done = 0; done < ranked_.size() && sum <= p_ * total;) {  // sorts only as far as it must
      const size_t end = std::min(ranked_.size(), std::max<size_t>(64, 4 * done));
      const auto from = ranked_.begin() + std::ptrdiff_t(done), to = ranked_.begin() + std::ptrdiff_t(end);
      if (to != ranked_.end()) std::nth_element(from, to, ranked_.end(), nearer);
      std::sort(from, to, nearer);
      for (; done < end && sum <= p_ * total; ++done) {
        sum += ranked_[done].candidate->weight;
        keep_[size_t(ranked_[done].candidate - items.data())] = true;
      }
    }
    size_t at = 0;
    c.keep_if([&](const Candidate&) { return bool(keep_[at++]); });
  }

 private:
  struct Ranked {
    double distance;
    const Candidate* candidate;
  };
  static bool nearer(const Ranked& a, const Ranked& b) {
    return a.distance < b.distance || (a.distance == b.distance && likelier(*a.candidate, *b.candidate));
  }

  double p_;
  std::vector<Ranked> ranked_;
  std::vector<bool> keep_;
};

}  // namespace

std::unique_ptr<SamplerStep> make_typical(const SamplerOptions& o) {
  check_option("typical_p", o.typical_p, 0, 1);
  return o.typical_p >= 1 ? nullptr : std::make_unique<Typical>(o.typical_p);
}

}  // namespace loam
