// e^x for a double and for a vector of them: one definition, so that one value and many have the same bits.
#pragma once
#include <cstdint>
#include <cstring>

namespace loam {

// In place (vectors by value depend on the compiler's options); Bits: as wide an integer. 2^n times a Taylor polynomial
// on [-ln2/2, ln2/2].
template <class V, class Bits>
__attribute__((always_inline)) inline void exponential(V& x) {
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
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  V power;
  std::memcpy(&power, &bits, sizeof power);
  x = x < -700 ? V{} : V(p * power);
}

}  // namespace loam
