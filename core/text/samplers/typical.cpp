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
    for (const double depth : {9.0, 14.0, 20.0}) {
      if (choose(c, c.survey(depth))) return keep(c);
    }
    c.all();
    choose(c, c.survey(0));
    keep(c);
  }

 private:
  struct Ranked {
    double distance;
    const Candidate* candidate;
  };
  static constexpr auto nearer = [](const Ranked& a, const Ranked& b) {
    return a.distance < b.distance || (a.distance == b.distance && likelier(*a.candidate, *b.candidate));
  };

  // Marks what to keep; false: the survey does not tell.
  bool choose(Candidates& c, const Candidates::Survey& s) {
    const double total = s.sums.weight, log_total = natural_log(total), largest = c.largest();
    const double entropy = log_total + s.sums.surprise / total, enough = p_ * total;
    const double error = (s.sums.surprise_error + s.sums.surprise / total * s.sums.weight_error) / total +
                         2 * s.sums.weight_error / total;  // of distances
    ranked_.resize(s.likely.size());
    double last_surprise = 0;
    for (size_t i = 0; i < s.likely.size(); ++i) {
      const double surprise = log_total - (double(s.likely[i].logit) - largest) / c.temperature();
      last_surprise = std::max(last_surprise, surprise);
      ranked_[i] = {std::abs(surprise - entropy), &s.likely[i]};
    }
    keep_.assign(s.likely.size(), false);
    size_t kept = 0;
    double sum = 0;
    for (size_t sorted = 0; kept < ranked_.size() && sum <= enough; ++kept) {
      if (kept == sorted) sort(kept, sorted = std::min(ranked_.size(), std::max<size_t>(64, 4 * kept)));
      sum += ranked_[kept].candidate->weight;
      keep_[size_t(ranked_[kept].candidate - s.likely.data())] = true;
    }
    return s.all || is_sure(kept, sum, enough, p_ * s.sums.weight_error, last_surprise - entropy, error);
  }

  // Whether the same ones are kept with any errors of this size, and none is nearer that is not in the survey.
  bool is_sure(size_t kept, double sum, double enough, double sum_error, double reach, double error) {
    const Ranked last = ranked_[kept - 1];
    if (sum <= enough + sum_error || sum - last.candidate->weight > enough - sum_error) return false;
    if (last.distance + 2 * error >= reach) return false;
    const auto may_swap = [&](const Ranked& r) {
      return std::abs(r.distance - last.distance) <= 2 * error && r.candidate->logit != last.candidate->logit;
    };
    return std::none_of(ranked_.begin(), ranked_.end(), may_swap);
  }
  // Those from `done` to `end`; nth_element puts the nearest there.
  void sort(size_t done, size_t end) {
    const auto from = ranked_.begin() + std::ptrdiff_t(done), to = ranked_.begin() + std::ptrdiff_t(end);
    if (to != ranked_.end()) std::nth_element(from, to, ranked_.end(), nearer);
    std::sort(from, to, nearer);
  }
  void keep(Candidates& c) {
    size_t at = 0;
    c.keep_surveyed([&](const Candidate&) { return bool(keep_[at++]); });
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
