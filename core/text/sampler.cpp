// The sampling chain.
#include "core/text/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text/constraint.h"

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

int32_t Sampler::pick(std::span<const float> logits, std::span<const int32_t> history, TokenConstraint* constraint) {
  if (logits.empty()) fail(Code::bad_argument, "sampler: no logits");
  if (constraint) {
    if (options_.temperature == 0) {  // the likeliest of all is the likeliest of the allowed ones, if it is one of them
      const int32_t best = pick(logits, history);
      if (constraint->allows(best)) return best;
    }
    logits = masked(logits, constraint->allowed());
  }
  keep_ = options_.temperature == 0 ? 1 : options_.top_k == 0 ? logits.size() : size_t(options_.top_k);
  full_ = false;
  gather(logits, history);
  keep_top_k();
  if (options_.temperature == 0) return candidates_[0].id;
  weigh();
  keep_min_p();
  keep_top_p();
  return draw();
}

// What is not allowed becomes -inf.
std::span<const float> Sampler::masked(std::span<const float> logits, std::span<const uint64_t> allowed) {
  masked_.assign(logits.begin(), logits.end());
  bool any = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool may = i / 64 < allowed.size() && allowed[i / 64] >> (i % 64) & 1;
    if (!may) masked_[i] = -std::numeric_limits<float>::infinity();
    any |= may;
  }
  if (!any) fail(Code::bad_argument, "sampler: the constraint allows no token");
  return masked_;
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
  size_t at = 0;
  for (const int32_t id : recent_) {
    if (id < 0 || size_t(id) >= logits.size()) continue;
    offer_range(logits, at, size_t(id));
    at = size_t(id) + 1;
    const float logit = logits[size_t(id)];
    offer(id, logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty);
  }
  offer_range(logits, at, logits.size());
}

// Blocks in which nothing exceeds the threshold are skipped; a NaN never compares, so that it is always looked at.
void Sampler::offer_range(std::span<const float> logits, size_t begin, size_t end) {
  constexpr size_t kBlock = 32;
  while (begin < end) {
    const size_t count = std::min(kBlock, end - begin);
    if (full_ && count == kBlock) {
      int any = 0;
      for (size_t i = 0; i < kBlock; ++i) any |= !(logits[begin + i] <= threshold_);
      if (!any) {
        begin += kBlock;
        continue;
      }
    }
    for (size_t i = begin; i < begin + count; ++i) offer(int32_t(i), logits[i]);
    begin += count;
  }
}

// Keeps the best k in a buffer of twice that, so that nearly all logits cost one comparison. Ids come in ascending
// order: one that only equals the k-th is behind it.
void Sampler::offer(int32_t id, float logit) {
  if (logit != logit) fail(Code::bad_argument, "sampler: the logit of token %d is not a number", id);
  if (full_ && logit <= threshold_) return;
  candidates_.push_back({id, logit, 0});
  if (candidates_.size() < 2 * keep_ + 64) return;
  const auto kth = candidates_.begin() + ptrdiff_t(keep_ - 1);
  std::nth_element(candidates_.begin(), kth, candidates_.end(), likelier);
  threshold_ = kth->logit;
  full_ = true;
  candidates_.resize(keep_);
}

void Sampler::keep_top_k() {
  if (keep_ < candidates_.size() || options_.top_k != 0) {
    std::sort(candidates_.begin(), candidates_.end(), likelier);
    candidates_.resize(std::min(candidates_.size(), keep_));
  }
  largest_ = std::min_element(candidates_.begin(), candidates_.end(), likelier)->logit;
  if (std::isinf(largest_)) fail(Code::bad_argument, "sampler: the largest logit is not finite");
}

void Sampler::weigh() {
  total_ = 0;
  for (Candidate& c : candidates_) {
    c.weight = exp_negative(double(c.logit) - double(largest_));
    total_ += c.weight;
  }
}

// Both filters keep the likeliest, so that their order does not matter once the total is known; this one is cheaper.
void Sampler::keep_min_p() {
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < double(options_.min_p) || c.weight == 0; });
}

// Sorts only as far as it must.
void Sampler::keep_top_p() {
  if (options_.top_p >= 1) return;
  double sum = 0;
  const auto begin = candidates_.begin();
  for (size_t sorted = 0; sorted < candidates_.size();) {
    const size_t end = std::min(candidates_.size(), std::max<size_t>(64, 4 * sorted));
    if (end < candidates_.size()) {
      std::nth_element(begin + ptrdiff_t(sorted), begin + ptrdiff_t(end), candidates_.end(), likelier);
    }
    std::sort(begin + ptrdiff_t(sorted), begin + ptrdiff_t(end), likelier);
    for (; sorted < end; ++sorted) {
      sum += candidates_[sorted].weight;
      if (sum >= double(options_.top_p) * total_) return candidates_.resize(sorted + 1);
    }
  }
}

int32_t Sampler::draw() {
  double total = 0;
  for (Candidate& c : candidates_) {
    c.weight = exp_negative((double(c.logit) - double(largest_)) / double(options_.temperature));
    total += c.weight;
  }
  double left = double(random() >> 11) * 0x1p-53 * total;
  for (const Candidate& c : candidates_) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  return candidates_.back().id;  // rounding left a hair at the end
}

}  // namespace loam
