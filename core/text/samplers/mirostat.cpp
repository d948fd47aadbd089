// Mirostat (Basu et al. 2020): keeps the surprise of the text near a target by moving the bound mu with each token.
#include <algorithm>
#include <cmath>

#include "core/math.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

constexpr double kLn2 = 0.69314718055994530942;

class Mirostat : public SamplerStep {
 public:
  explicit Mirostat(const SamplerOptions& o)
      : second_(o.mirostat == 2), tau_(o.mirostat_tau), eta_(o.mirostat_eta), mu_(2 * tau_) {}

  void apply(Candidates& c, StepContext& context) override {
    if (second_)
      c.keep_likely(exp_f64(-std::clamp(mu_, 0.0, 1000.0) * kLn2));
    else
      c.keep_top(count_for(c));
    const double total = c.weigh();
    c.draw(context.random);
    const double surprise = natural_log(total / std::max(c.choice().weight, 1e-300)) / kLn2;
    mu_ -= eta_ * (surprise - tau_);
  }

 private:
  // How many tokens to keep: the exponent of Zipf's law is estimated from the likeliest ones.
  size_t count_for(Candidates& c) {
    constexpr size_t kLook = 100;
    const size_t all = c.count();
    c.top(kLook, top_);
    double products = 0, squares = 0;
    for (size_t i = 0; i + 1 < top_.size(); ++i) {
      const double t = natural_log(double(i + 2) / double(i + 1));
      products += t * (double(top_[i].logit) - double(top_[i + 1].logit)) / c.temperature();
      squares += t * t;
    }
    if (all < 2) return 1;
    const double bound = std::clamp(mu_, -1000.0, 1000.0) * kLn2;
    if (products <= 0) return bound > natural_log(double(all - 1)) ? all : 1;  // all alike
    const double s = products / squares, epsilon = s - 1, vocab = natural_log(double(all));
    // epsilon / (1 - vocab^-epsilon), which is 1 / ln vocab where epsilon is 0
    const double power = std::clamp(epsilon * vocab, -600.0, 600.0);
    const double ratio = std::abs(power) < 1e-9 ? 1 / vocab : epsilon / (1 - exp_f64(-power));
    const double log_count = (natural_log(ratio) + bound) / s;
    if (!(log_count < vocab)) return all;
    return log_count <= 0 ? 1 : std::max<size_t>(1, size_t(exp_f64(log_count)));
  }

  bool second_;
  double tau_, eta_, mu_;
  std::vector<Candidate> top_;
};

}  // namespace

std::unique_ptr<SamplerStep> make_mirostat(const SamplerOptions& o) {
  check_option("mirostat", o.mirostat, 0, 2);
  check_option("mirostat_tau", o.mirostat_tau, 0, 1000);
  check_option("mirostat_eta", o.mirostat_eta, 0, 1000);
  return o.mirostat == 0 ? nullptr : std::make_unique<Mirostat>(o);
}

}  // namespace loam
