#include "core/math.h"

namespace loam {

void sin_cos(double angle, double& sine, double& cosine) {
  constexpr double kTwoOverPi = 0.63661977236758134308;
  constexpr double kHalfPi1 = 1.57079632673412561417e+00;  // the first 33 bits of pi/2, the next 33, the rest
  constexpr double kHalfPi2 = 6.07710050630396597660e-11;
  constexpr double kHalfPi3 = 2.02226624879595063154e-21;
  const double n = std::floor(std::fma(angle, kTwoOverPi, 0.5));
  const double r = std::fma(n, -kHalfPi3, std::fma(n, -kHalfPi2, std::fma(n, -kHalfPi1, angle)));
  const double z = r * r;
  double s = 0, c = 0;
  // Horner over (2k+1) (2k) and (2k) (2k-1): 1 - z/6 (1 - z/20 (...)).
  for (int k = 9; k >= 1; --k) s = -z / double(2 * k * (2 * k + 1)) * (1 + s);
  for (int k = 9; k >= 1; --k) c = -z / double((2 * k - 1) * 2 * k) * (1 + c);
  const double sn = r + r * s, cs = 1 + c;
  switch (int64_t(n) & 3) {
    case 0: sine = sn, cosine = cs; break;
    case 1: sine = cs, cosine = -sn; break;
    case 2: sine = -sn, cosine = -cs; break;
    default: sine = -cs, cosine = sn; break;
  }
}

constexpr double kLn2 = 0.69314718055994530942;

double natural_log(double x) {
  int exponent;
  double m = std::frexp(x, &exponent);  // exact: x = m 2^exponent, m in [0.5, 1)
  if (m < 0.70710678118654752440) m *= 2, --exponent;
  const double t = (m - 1) / (m + 1), z = t * t;
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = std::fma(sum, z, 1.0 / k);  // atanh series
  return std::fma(double(exponent), kLn2, 2 * t * sum);
}

namespace {

double natural_exp(double x) {
  const double n = std::floor(x / kLn2 + 0.5), r = std::fma(n, -kLn2, x);
  double sum = 1;
  for (int k = 20; k >= 1; --k) sum = 1 + r / k * sum;
  return std::ldexp(sum, int(n));
}

}  // namespace

double power(double base, double exponent) { return natural_exp(exponent * natural_log(base)); }

}  // namespace loam
