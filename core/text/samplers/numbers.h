// Exponential function and random numbers of the samplers: IEEE + - * / alone, so that the same seed gives the same
// text on every machine.
#pragma once
#include <cstdint>
#include <span>

namespace loam {

// e^x for x <= 700 within an ulp or two; 0 below -700.
double exp_f64(double x);
// The same bits for each of many, several at once.
void exp_f64(std::span<double> x);

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform() { return double(next() >> 11) * 0x1p-53; }  // 0 <= x < 1

 private:
  uint64_t state_;
};

}  // namespace loam
