// Medians, and how sure a difference between two sets of measurements is.
#pragma once
#include <vector>

namespace loam {

double median(std::vector<double> values);  // 0 of none

// How much larger the numbers of b are than those of a: the median of all quotients b / a (Hodges and Lehmann 1963, on
// logarithms), and the exact interval around it that holds the true factor 95 times of 100 (inverted Mann-Whitney test,
// Moses 1965): no assumption about how the numbers scatter but that both do alike.
struct Ratio {
  double estimate = 0, low = 0, high = 0;
  bool known = false;  // low and high: fewer than four numbers on a side are too few
  bool differs() const { return known && (low > 1 || high < 1); }
};
Ratio compare(const std::vector<double>& a, const std::vector<double>& b);

// The largest c for which chance alone makes at most c of the n * m quotients lie below 1 in `part` of all cases; -1:
// none does.
int mann_whitney_bound(int n, int m, double part);

}  // namespace loam
