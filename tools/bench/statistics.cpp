#include "tools/bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace loam {

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v.size() % 2 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}

// Of n + m numbers in random order the last one belongs to the first set with probability n / (n + m), and then lies
// above all m of the other.
int mann_whitney_bound(int n, int m, double part) {
  std::vector<std::vector<double>> of(size_t(m) + 1);  // of[j][u]: probability of u for i and j numbers
  for (int i = 0; i <= n; ++i) {
    for (int j = 0; j <= m; ++j) {
      std::vector<double> next(size_t(i) * size_t(j) + 1, 0);
      if (i == 0 || j == 0) next[0] = 1;
      for (size_t u = 0; i && j && u < next.size(); ++u) {
        if (u >= size_t(j)) next[u] += double(i) / (i + j) * of[size_t(j)][u - size_t(j)];
        if (u < of[size_t(j) - 1].size()) next[u] += double(j) / (i + j) * of[size_t(j) - 1][u];
      }
      of[size_t(j)] = std::move(next);
    }
  }
  double sum = 0;
  for (size_t u = 0; u < of[size_t(m)].size(); ++u) {
    sum += of[size_t(m)][u];
    if (sum > part) return int(u) - 1;
  }
  return n * m;
}

Ratio compare(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> quotients;
  for (double x : a) {
    for (double y : b) {
      if (!(x > 0 && y > 0 && std::isfinite(x) && std::isfinite(y))) return {};
      quotients.push_back(y / x);
    }
  }
  if (quotients.empty()) return {};
  std::sort(quotients.begin(), quotients.end());
  Ratio r;
  r.estimate = median(quotients);
  const int bound = mann_whitney_bound(int(a.size()), int(b.size()), 0.025);
  r.known = bound >= 0;
  r.low = quotients[size_t(std::max(bound, 0))];
  r.high = quotients[quotients.size() - 1 - size_t(std::max(bound, 0))];
  return r;
}

}  // namespace loam
