// Elementary functions whose bits are the same on every machine: only IEEE + - * /, fma and sqrt. Scalar definitions;
// the vector layers of the CPU backend do the same operations in the same order.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace loam {

// e^x within 1.2e-7 relative; +inf above 88.73, subnormal and then 0 below -87.3, NaN stays NaN.
// Cody-Waite reduction and a polynomial of degree 7 (Taylor) on [-ln2/2, ln2/2].
struct ExpConstants {
  static constexpr float kHigh = 130.f, kLow = -150.f, kLog2e = 1.44269504f, kLn2High = 0.693145752f,
                         kLn2Low = 1.42860677e-6f;
  static constexpr float kC7 = 1.98412698e-4f, kC6 = 1.38888889e-3f, kC5 = 8.33333333e-3f, kC4 = 4.16666667e-2f,
                         kC3 = 1.66666667e-1f, kC2 = 0.5f;
};

inline float exp_f32(float x) {
  using C = ExpConstants;
  x = x > C::kHigh ? C::kHigh : x;
  x = x < C::kLow ? C::kLow : x;
  // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, halves to even.
  const float shifted = std::fma(x, C::kLog2e, 12582912.f), n = shifted - 12582912.f;
  const float r = std::fma(n, -C::kLn2Low, std::fma(n, -C::kLn2High, x));
  float p = C::kC7;
  p = std::fma(p, r, C::kC6);
  p = std::fma(p, r, C::kC5);
  p = std::fma(p, r, C::kC4);
  p = std::fma(p, r, C::kC3);
  p = std::fma(p, r, C::kC2);
  p = std::fma(p, r, 1.f);
  p = std::fma(p, r, 1.f);
  // 2^n in two factors, so that overflow and underflow round as they should.
  const int32_t i = int32_t(std::bit_cast<uint32_t>(shifted)) - 0x4b400000, half = i >> 1;
  const float a = std::bit_cast<float>(uint32_t(half + 127) << 23),
              b = std::bit_cast<float>(uint32_t(i - half + 127) << 23);
  return p * a * b;
}

// 2^x within 1.6e-7 relative for x <= 127; at least 2^-126, NaN stays NaN, 2^0 is 1.
// Minimax polynomial of degree 5 on [-1/2, 1/2].
struct Exp2Constants {
  static constexpr float kLow = -126.f;
  static constexpr float kC5 = 0.00132647273f, kC4 = 0.00967151299f, kC3 = 0.0555073358f, kC2 = 0.240222424f,
                         kC1 = 0.693147004f;
};

inline float exp2_f32(float x) {
  using C = Exp2Constants;
  x = x < C::kLow ? C::kLow : x;
  const float shifted = x + 12582912.f, r = x - (shifted - 12582912.f);
  float p = C::kC5;
  p = std::fma(p, r, C::kC4);
  p = std::fma(p, r, C::kC3);
  p = std::fma(p, r, C::kC2);
  p = std::fma(p, r, C::kC1);
  p = std::fma(p, r, 1.f);
  return p * std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + 0x3f800000u);
}

inline float silu_f32(float x) { return x / (1.f + exp_f32(-x)); }

// 0.5 x (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), written as x * sigmoid(2u).
struct GeluConstants {
  static constexpr float kCubic = 0.044715f, kMinusTwoRoot = -1.59576912f;
};
inline float gelu_tanh_f32(float x) {
  const float inner = x * std::fma(GeluConstants::kCubic * x, x, 1.f);
  return x / (1.f + exp_f32(GeluConstants::kMinusTwoRoot * inner));
}

// sin and cos of an angle up to about 1e9, within 1e-15 absolute (Cody-Waite in three parts, Taylor).
void sin_cos(double angle, double& sine, double& cosine);
// ln x for finite x > 0, within a few ulp.
double natural_log(double x);
// base^exponent for base > 0, within a few ulp.
double power(double base, double exponent);

// Sums in 16 lanes (lane j takes elements j, j + 16, ...) and a fixed tree: the order of every float reduction.
inline float tree_sum(const float* lanes) {
  float v[8];
  for (int i = 0; i < 8; ++i) v[i] = lanes[i] + lanes[i + 8];
  for (int step = 4; step; step /= 2) {
    for (int i = 0; i < step; ++i) v[i] += v[i + step];
  }
  return v[0];
}

}  // namespace loam
