// Temperature, fixed or moved by the entropy.
#include <algorithm>

#include "core/math.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

constexpr double kLeast = 1e-6;  // what is lower is zero: quotients stay finite

void divide(Candidates& c, double temperature) {
  if (temperature >= kLeast)
    c.scale(temperature);
  else
    c.keep_top(1);
}

struct Temperature : SamplerStep {
  double temperature;
  explicit Temperature(double t) : temperature(t) {}
  void apply(Candidates& c, StepContext&) override { divide(c, temperature); }
};

struct DynamicTemperature : SamplerStep {
  double low, high, exponent;
  DynamicTemperature(double temperature, double range, double e)
      : low(std::max(0.0, temperature - range)), high(temperature + range), exponent(e) {}
  void apply(Candidates& c, StepContext&) override {
    const size_t count = c.count();
    if (count < 2) return;
    const double share = c.entropy() / natural_log(double(count));  // 0: certain, 1: all are equal
    const double raised = exponent == 0 ? 1 : share > 0 ? power(std::min(share, 1.0), exponent) : 0;
    divide(c, low + (high - low) * raised);
  }
};

}  // namespace

std::unique_ptr<SamplerStep> make_temperature(const SamplerOptions& o) {
  check_option("temperature", o.temperature, 0, 1e6);
  check_option("dynatemp_range", o.dynatemp_range, 0, 1e6);
  check_option("dynatemp_exponent", o.dynatemp_exponent, 0, 100);
  if (o.dynatemp_range > 0)
    return std::make_unique<DynamicTemperature>(o.temperature, o.dynatemp_range, o.dynatemp_exponent);
  return std::make_unique<Temperature>(o.temperature);
}

}  // namespace loam
