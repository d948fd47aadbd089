#include "core/text/samplers/numbers.h"

#include "core/text/samplers/exponential.h"
#include "core/text/samplers/vector_passes.h"

namespace loam {

double exp_f64(double x) {
  exponential<double, uint64_t>(x);
  return x;
}

void exp_f64(std::span<double> x) {
  const size_t whole = x.size() / 8 * 8;
  vector_passes().exponentials(x.data(), whole);
  for (size_t i = whole; i < x.size(); ++i) x[i] = exp_f64(x[i]);
}

}  // namespace loam
