// One definition for a double and for a vector of two, which every processor that matters can compute at once.
#include "core/text/samplers/numbers.h"

#include <bit>
#include <cstring>

namespace loam {
namespace {

typedef double Two __attribute__((vector_size(16)));
typedef uint64_t TwoBits __attribute__((vector_size(16)));

// 2^n times a Taylor polynomial on [-ln2/2, ln2/2].
template <class V, class Bits>
inline V exp_of(V x) {
  constexpr double kLog2e = 1.4426950408889634, kLn2High = 0.6931471803691238, kLn2Low = 1.9082149292705877e-10;
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves the nearest integer in the low bits
  const V clamped = x < -700 ? V{} - 700 : x;
  const V shifted = clamped * kLog2e + kRound, n = shifted - kRound;
  const V r = (clamped - n * kLn2High) - n * kLn2Low;
  V p = r * 1.6059043836821613e-10 + 2.08767569878681e-09;  // 1 / 13!, 1 / 12!, ...
  p = p * r + 2.505210838544172e-08;
  p = p * r + 2.755731922398589e-07;
  p = p * r + 2.7557319223985893e-06;
  p = p * r + 2.48015873015873e-05;
  p = p * r + 0.0001984126984126984;
  p = p * r + 0.001388888888888889;
  p = p * r + 0.008333333333333333;
  p = p * r + 0.041666666666666664;
  p = p * r + 0.16666666666666666;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  const V value = p * std::bit_cast<V>((std::bit_cast<Bits>(shifted) + 1023) << 52);
  return x < -700 ? V{} : value;
}

}  // namespace

double exp_f64(double x) { return exp_of<double, uint64_t>(x); }

void exp_f64(std::span<double> x) {
  constexpr size_t kVectors = 4;  // so many in flight
  size_t i = 0;
  for (; i + 2 * kVectors <= x.size(); i += 2 * kVectors) {
    Two v[kVectors];
    std::memcpy(v, &x[i], sizeof v);
    for (Two& two : v) two = exp_of<Two, TwoBits>(two);
    std::memcpy(&x[i], v, sizeof v);
  }
  for (; i < x.size(); ++i) x[i] = exp_f64(x[i]);
}

}  // namespace loam
