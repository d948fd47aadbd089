// What each sampler is, written plainly: lists, full sorts, std::exp. The fast ones are compared with these.
#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "core/text/samplers/numbers.h"
#include "core/text/samplers/sampler_options.h"

namespace loam::tests {

struct Token {
  int32_t id;
  float logit;
};

// The tokens that are left, in the order in which a draw goes through them.
struct Definition {
  std::vector<Token> tokens;
  double temperature = 1;  // divides the logits

  explicit Definition(const std::vector<float>& logits) {
    for (size_t i = 0; i < logits.size(); ++i) tokens.push_back({int32_t(i), logits[i]});
    drop_impossible();
  }
  void drop_impossible() {
    std::erase_if(tokens, [](const Token& t) { return t.logit == -INFINITY; });
  }
  static bool likelier(const Token& a, const Token& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  }
  void sort() { std::sort(tokens.begin(), tokens.end(), likelier); }
  Token best() const { return *std::min_element(tokens.begin(), tokens.end(), likelier); }
  double weight(const Token& t) const { return std::exp((double(t.logit) - double(best().logit)) / temperature); }
  std::vector<double> weights() const {
    std::vector<double> w;
    const double largest = double(best().logit);
    for (const Token& t : tokens) w.push_back(std::exp((double(t.logit) - largest) / temperature));
    return w;
  }
  double total() const {
    double sum = 0;
    for (const double w : weights()) sum += w;
    return sum;
  }
  std::vector<double> probabilities() const {
    std::vector<double> p = weights();
    const double sum = total();
    for (double& x : p) x /= sum;
    return p;
  }
  double entropy() const {
    double sum = 0;
    for (const double p : probabilities()) sum -= p > 0 ? p * std::log(p) : 0;
    return sum;
  }
  void keep_ids(const std::set<int32_t>& ids) {
    std::erase_if(tokens, [&](const Token& t) { return ids.count(t.id) == 0; });
  }
  void flatten() {
    if (temperature == 1) return;
    for (Token& t : tokens) t.logit = float(double(t.logit) / temperature);
    temperature = 1;
  }

  void bias(const SamplerOptions& o) {
    if (!o.logit_bias.empty()) flatten();
    for (Token& t : tokens) {
      float sum = 0;
      for (const LogitBias& b : o.logit_bias) sum += t.id == b.token ? b.bias : 0;
      t.logit += sum;
    }
    drop_impossible();
  }
  void penalties(const SamplerOptions& o, const std::vector<int32_t>& history) {
    if (o.repeat_penalty == 1 && o.frequency_penalty == 0 && o.presence_penalty == 0) return;
    const size_t last = o.repeat_last_n < 0 ? history.size() : std::min(history.size(), size_t(o.repeat_last_n));
    std::map<int32_t, int> counts;
    for (size_t i = history.size() - last; i < history.size(); ++i) ++counts[history[i]];
    if (!counts.empty()) flatten();
    for (Token& t : tokens) {
      if (!counts.count(t.id)) continue;
      t.logit = t.logit > 0 ? t.logit / o.repeat_penalty : t.logit * o.repeat_penalty;
      t.logit -= float(counts[t.id]) * o.frequency_penalty + o.presence_penalty;
    }
  }
  // For each place where a token occurred: how many tokens before it are those at the end of the text.
  void dry(const SamplerOptions& o, const std::vector<int32_t>& history) {
    if (o.dry_multiplier == 0 || o.dry_base == 0) return;
    const size_t n = o.dry_penalty_last_n < 0 ? history.size() : std::min(history.size(), size_t(o.dry_penalty_last_n));
    const std::vector<int32_t> text(history.end() - std::ptrdiff_t(n), history.end());
    size_t limit = n;  // tokens since the last breaker
    for (size_t at = n; at-- > 0 && limit == n;) {
      size_t longest = 0;
      for (const auto& b : o.dry_breakers) {
        if (at + b.size() <= n && std::equal(b.begin(), b.end(), text.begin() + std::ptrdiff_t(at)))
          longest = std::max(longest, b.size());
      }
      if (longest) limit = n - at - longest;
      if (longest) break;
    }
    std::map<int32_t, size_t> lengths;
    for (size_t j = 1; j < n; ++j) {
      size_t length = 0;
      while (length < j && text[j - 1 - length] == text[n - 1 - length]) ++length;
      length = std::min(length, limit);
      const bool breaks = std::count(o.dry_breakers.begin(), o.dry_breakers.end(), std::vector<int32_t>{text[j]}) > 0;
      if (length >= size_t(o.dry_allowed_length) && !breaks) lengths[text[j]] = std::max(lengths[text[j]], length);
    }
    if (!lengths.empty()) flatten();
    for (Token& t : tokens) {
      if (!lengths.count(t.id)) continue;
      const double exponent = double(lengths[t.id] - size_t(o.dry_allowed_length));
      t.logit =
          float(double(t.logit) - std::min(1e30, double(o.dry_multiplier) * std::pow(double(o.dry_base), exponent)));
    }
  }
  void top_n_sigma(double n) {
    if (n <= 0) return;
    double mean = 0, square = 0;
    for (const Token& t : tokens) mean += double(t.logit) / double(tokens.size());
    for (const Token& t : tokens) square += (double(t.logit) - mean) * (double(t.logit) - mean);
    const double least = double(best().logit) - n * std::sqrt(square / double(tokens.size()));
    std::erase_if(tokens, [&](const Token& t) { return double(t.logit) < least - 1e-9; });
  }
  void top_k(int k) {
    if (k == 0) return;
    sort();
    if (tokens.size() > size_t(k)) tokens.resize(size_t(k));
  }
  void top_p(double p) {
    if (p >= 1) return;
    sort();
    const std::vector<double> w = weights();
    const double enough = p * total();
    double sum = 0;
    size_t keep = 0;
    while (keep < tokens.size() && (keep == 0 || sum < enough)) sum += w[keep++];
    tokens.resize(keep);
  }
  void min_p(double p) {
    const double largest = double(best().logit);
    std::erase_if(tokens, [&](const Token& t) { return std::exp((double(t.logit) - largest) / temperature) < p; });
  }
  void typical(double p) {
    if (p >= 1) return;
    const double h = entropy(), all = total(), largest = double(best().logit);
    struct Row {
      double distance;
      Token token;
    };
    std::vector<Row> rows;
    for (const Token& t : tokens)
      rows.push_back({std::abs(std::log(all) - (double(t.logit) - largest) / temperature - h), t});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.distance < b.distance || (a.distance == b.distance && likelier(a.token, b.token));
    });
    std::set<int32_t> keep;
    double sum = 0;
    for (size_t i = 0; i < rows.size() && sum <= p * all; ++i) {
      sum += std::exp((double(rows[i].token.logit) - largest) / temperature);
      keep.insert(rows[i].token.id);
    }
    keep_ids(keep);
  }
  void xtc(double probability, double threshold, Random& random) {
    if (probability <= 0 || threshold > 0.5 || tokens.size() < 2 || random.uniform() >= probability) return;
    std::vector<Token> above;
    const std::vector<double> p = probabilities();
    for (size_t i = 0; i < p.size(); ++i) {
      if (p[i] >= threshold) above.push_back(tokens[i]);
    }
    std::sort(above.begin(), above.end(), likelier);
    for (size_t i = 0; i + 1 < above.size(); ++i)
      std::erase_if(tokens, [&](const Token& t) { return t.id == above[i].id; });
  }
  void heat(const SamplerOptions& o) {
    double t = double(o.temperature);
    if (o.dynatemp_range > 0) {
      if (tokens.size() < 2) return;
      const double low = std::max(0.0, t - double(o.dynatemp_range)), high = t + double(o.dynatemp_range);
      const double rounded = std::floor(entropy() * 1024 + 0.5) / 1024;  // part of the definition
      const double share = std::min(1.0, rounded / std::log(double(tokens.size())));
      t = low + (high - low) * std::pow(share, double(o.dynatemp_exponent));
    }
    if (t < 1e-6)
      tokens = {best()};
    else
      temperature *= t;
  }
  int32_t draw(Random& random) const {
    const std::vector<double> w = weights();
    double left = random.uniform() * total();
    for (size_t i = 0; i < w.size(); ++i) {
      left -= w[i];
      if (left < 0) return tokens[i].id;
    }
    return tokens.back().id;
  }
  // The token, and the new mu.
  int32_t mirostat(const SamplerOptions& o, double& mu, Random& random) {
    if (o.mirostat == 1) {
      sort();
      const std::vector<double> p = probabilities();
      double products = 0, squares = 0;
      for (size_t i = 0; i + 1 < std::min<size_t>(p.size(), 100); ++i) {
        const double t = std::log(double(i + 2) / double(i + 1));
        products += t * std::log(p[i] / p[i + 1]);
        squares += t * t;
      }
      const double n = double(tokens.size()), s = products / squares, epsilon = s - 1;
      const double k = std::pow(epsilon * std::pow(2.0, mu) / (1 - std::pow(n, -epsilon)), 1 / s);
      tokens.resize(n < 2 ? 1 : k >= n ? tokens.size() : std::max<size_t>(1, size_t(k)));
    } else {
      const std::vector<double> p = probabilities();
      const Token first = best();
      std::set<int32_t> keep;
      for (size_t i = 0; i < p.size(); ++i) {
        if (-std::log2(p[i]) <= mu) keep.insert(tokens[i].id);
      }
      keep_ids(keep);
      if (tokens.empty()) tokens = {first};
    }
    const int32_t id = draw(random);
    const std::vector<double> p = probabilities();
    for (size_t i = 0; i < p.size(); ++i) {
      if (tokens[i].id == id) mu -= double(o.mirostat_eta) * (-std::log2(p[i]) - double(o.mirostat_tau));
    }
    return id;
  }
};

}  // namespace loam::tests
