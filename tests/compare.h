// How results are compared: bit by bit (any NaN equals any NaN), or by the normalized mean square error.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>

namespace loam::tests {

inline bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

// sum (x - reference)^2 / sum reference^2. Infinite where lengths differ, where one is NaN and the other is not, where
// an infinity does not meet the same infinity, and where x is not zero while the whole reference is.
inline double nmse(std::span<const float> reference, std::span<const float> x) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (reference.size() != x.size()) return kInfinite;
  double error = 0, power = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(reference[i]) && std::isfinite(x[i])) {
      error += (double(x[i]) - reference[i]) * (double(x[i]) - reference[i]);
      power += double(reference[i]) * reference[i];
    } else if (!same_bits(reference[i], x[i])) {
      return kInfinite;
    }
  }
  return error == 0 ? 0 : error / power;  // a zero power gives infinity
}

// What is wrong with x, or an empty string. Tolerance 0 asks for equal bits, another one bounds the nmse.
inline std::string difference(std::span<const float> reference, std::span<const float> x, double tolerance) {
  char text[200];
  if (reference.size() != x.size()) {
    std::snprintf(text, sizeof text, "%zu values, expected %zu", x.size(), reference.size());
    return text;
  }
  if (tolerance > 0) {
    const double found = nmse(reference, x);
    if (found <= tolerance) return "";
    std::snprintf(text, sizeof text, "nmse %g, at most %g expected", found, tolerance);
    return text;
  }
  size_t count = 0, first = 0;
  for (size_t i = x.size(); i-- > 0;) {
    if (!same_bits(reference[i], x[i])) ++count, first = i;
  }
  if (count == 0) return "";
  std::snprintf(text, sizeof text, "%zu of %zu values differ, first at %zu: %.9g (%08x), expected %.9g (%08x)", count,
                x.size(), first, double(x[first]), std::bit_cast<uint32_t>(x[first]), double(reference[first]),
                std::bit_cast<uint32_t>(reference[first]));
  return text;
}

}  // namespace loam::tests
