// The sampling chain.
#include "core/text/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"

namespace loam {
namespace {

// e^x for x <= 0, from + and * alone: 2^n times a Taylor polynomial on [-ln2/2, ln2/2].
double exp_negative(double x) {
  if (x < -700) return 0;
  constexpr double kLog2e = 1.4426950408889634, kLn2High = 0.6931471803691238, kLn2Low = 1.9082149292705877e-10;
  const auto n = int64_t(x * kLog2e - 0.5);
  const double r = (x - double(n) * kLn2High) - double(n) * kLn2Low;
  double term = 1, sum = 1;
  for (int i = 1; i <= 14; ++i) {
    term = term * r / i;
    sum += term;
  }
  return sum * std::bit_cast<double>(uint64_t(1023 + n) << 52);
}

void check_options(const SamplerOptions& o) {
  const auto in_range = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      fail(Code::bad_argument, "sampler: %s is %g, expected %g to %g", name, value, low, high);
    }
  };
  in_range("temperature", o.temperature, 0, 1e6);
  in_range("top_k", o.top_k, 0, 1 << 30);
  in_range("top_p", o.top_p, 0, 1);
  in_range("min_p", o.min_p, 0, 1);
  in_range("repeat_penalty", o.repeat_penalty, 1e-6, 1e6);
  in_range("repeat_last_n", o.repeat_last_n, -1, 1 << 30);
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), state_(options.seed) { check_options(options); }

// SplitMix64.
uint64_t Sampler::random() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int32_t Sampler::pick(std::span<const float> logits, std::span<const int32_t> history) {
  if (logits.empty()) fail(Code::bad_argument, "sampler: no logits");
  keep_ = options_.temperature == 0 ? 1 : options_.top_k == 0 ? logits.size() : size_t(options_.top_k);
  full_ = false;
  gather(logits, history);
  keep_top_k();  // also sorts, the likeliest first
  if (options_.temperature == 0) return candidates_[0].id;
  weigh();
  keep_top_p();
  keep_min_p();
  return draw();
}

// Most likely first, the lower id of equals.
bool Sampler::likelier(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

void Sampler::gather(std::span<const float> logits, std::span<const int32_t> history) {
  const size_t last = options_.repeat_last_n < 0 ? history.size() : size_t(options_.repeat_last_n);
  recent_.clear();
  if (options_.repeat_penalty != 1) {
    const auto tail = history.last(std::min(last, history.size()));
    recent_.assign(tail.begin(), tail.end());
    std::sort(recent_.begin(), recent_.end());
    recent_.erase(std::unique(recent_.begin(), recent_.end()), recent_.end());
  }
  candidates_.clear();
  auto recent = recent_.begin();
  for (size_t i = 0; i < logits.size(); ++i) {
    float logit = logits[i];
    if (logit != logit) fail(Code::bad_argument, "sampler: the logit of token %zu is not a number", i);
    while (recent != recent_.end() && *recent < int32_t(i)) ++recent;
    if (recent != recent_.end() && *recent == int32_t(i)) {
      logit = logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    }
    offer({int32_t(i), logit, 0});
  }
}

// Keeps the best k in a buffer of twice that, so that nearly all logits cost one comparison. Ids come in ascending
// order: one that only equals the k-th is behind it.
void Sampler::offer(const Candidate& c) {
  if (full_ && !(c.logit > threshold_)) return;
  candidates_.push_back(c);
  if (candidates_.size() < 2 * keep_ + 64) return;
  const auto kth = candidates_.begin() + ptrdiff_t(keep_ - 1);
  std::nth_element(candidates_.begin(), kth, candidates_.end(), likelier);
  threshold_ = kth->logit;
  full_ = true;
  candidates_.resize(keep_);
}

void Sampler::keep_top_k() {
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  candidates_.resize(std::min(candidates_.size(), keep_));
  if (std::isinf(candidates_[0].logit)) fail(Code::bad_argument, "sampler: the largest logit is not finite");
}

void Sampler::weigh() {
  for (Candidate& c : candidates_) c.weight = exp_negative(double(c.logit) - double(candidates_[0].logit));
}

// Candidates are sorted, so both filters cut the tail.
void Sampler::keep_top_p() {
  if (options_.top_p >= 1) return;
  double total = 0, sum = 0;
  for (const Candidate& c : candidates_) total += c.weight;
  size_t keep = 0;
  while (keep < candidates_.size()) {
    sum += candidates_[keep++].weight;
    if (sum >= double(options_.top_p) * total) break;
  }
  candidates_.resize(keep);
}

void Sampler::keep_min_p() {
  const auto likely = [&](const Candidate& c) { return c.weight >= double(options_.min_p); };
  const auto end = std::partition_point(candidates_.begin(), candidates_.end(), likely);
  candidates_.erase(std::max(end, candidates_.begin() + 1), candidates_.end());
}

int32_t Sampler::draw() {
  double total = 0;
  for (Candidate& c : candidates_) {
    c.weight = exp_negative((double(c.logit) - double(candidates_[0].logit)) / double(options_.temperature));
    total += c.weight;
  }
  double left = double(random() >> 11) * 0x1p-53 * total;
  for (const Candidate& c : candidates_) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  return candidates_[0].id;  // rounding left a hair at the end
}

}  // namespace loam
