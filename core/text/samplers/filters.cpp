// The filters that keep the likeliest tokens: top-k, top-p (Holtzman et al. 2019), min-p (Nguyen et al. 2024) and
// top-n-sigma (Tang et al. 2024).
#include "core/text/samplers/step.h"

namespace loam {
namespace {

struct TopK : SamplerStep {
  size_t k;
  explicit TopK(int count) : k(size_t(count)) {}
  void apply(Candidates& c, StepContext&) override { c.keep_top(k); }
};

struct TopP : SamplerStep {
  double p;
  explicit TopP(double share) : p(share) {}
  void apply(Candidates& c, StepContext&) override { c.keep_share(p); }
};

struct MinP : SamplerStep {
  double p;
  explicit MinP(double least) : p(least) {}
  void apply(Candidates& c, StepContext&) override { c.keep_weights(p); }
};

struct TopNSigma : SamplerStep {
  double n;
  explicit TopNSigma(double deviations) : n(deviations) {}
  void apply(Candidates& c, StepContext&) override { c.keep_logits_from(c.largest() - n * c.moments().deviation); }
};

}  // namespace

std::unique_ptr<SamplerStep> make_top_k(const SamplerOptions& o) {
  check_option("top_k", o.top_k, 0, 1 << 30);
  return o.top_k == 0 ? nullptr : std::make_unique<TopK>(o.top_k);
}

std::unique_ptr<SamplerStep> make_top_p(const SamplerOptions& o) {
  check_option("top_p", o.top_p, 0, 1);
  return o.top_p >= 1 ? nullptr : std::make_unique<TopP>(o.top_p);
}

std::unique_ptr<SamplerStep> make_min_p(const SamplerOptions& o) {
  check_option("min_p", o.min_p, 0, 1);
  return o.min_p <= 0 ? nullptr : std::make_unique<MinP>(o.min_p);
}

std::unique_ptr<SamplerStep> make_top_n_sigma(const SamplerOptions& o) {
  check_option("top_n_sigma", o.top_n_sigma, -1e6, 1e6);
  return o.top_n_sigma <= 0 ? nullptr : std::make_unique<TopNSigma>(o.top_n_sigma);
}

}  // namespace loam
