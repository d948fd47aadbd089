// DRY ("don't repeat yourself"): a token that would go on with a repetition costs the more, the longer that already is.
#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

class Dry : public SamplerStep {
 public:
  explicit Dry(const SamplerOptions& o)
      : multiplier_(o.dry_multiplier), base_(o.dry_base), allowed_(size_t(o.dry_allowed_length)) {
    last_ = o.dry_penalty_last_n < 0 ? std::numeric_limits<size_t>::max() : size_t(o.dry_penalty_last_n);
    for (const auto& breaker : o.dry_breakers) {
      if (breaker.size() == 1) single_.push_back(breaker[0]);
      if (breaker.size() > 1) longer_.push_back(breaker);
    }
    std::sort(single_.begin(), single_.end());
    std::sort(longer_.begin(), longer_.end());
  }

  void apply(Candidates& c, StepContext& context) override {
    const auto recent = context.history.last(std::min(last_, context.history.size()));
    if (recent.size() <= allowed_) return;
    const size_t limit = since_breaker(recent);
    if (limit < allowed_) return;
    measure(recent);
    repeats_.clear();  // what would go on with a repetition, and how long that is
    for (size_t k = 1; k < recent.size(); ++k) {
      const size_t length = std::min(match_[k], limit);
      const int32_t token = recent[recent.size() - k];
      if (length >= allowed_ && !std::binary_search(single_.begin(), single_.end(), token))
        repeats_.push_back({token, length});
    }
    std::sort(repeats_.begin(), repeats_.end());
    ids_.clear();
    penalties_.clear();
    for (size_t i = 0; i < repeats_.size(); ++i) {
      if (i + 1 < repeats_.size() && repeats_[i + 1].first == repeats_[i].first) continue;  // the longest comes last
      ids_.push_back(repeats_[i].first);
      penalties_.push_back(penalty(repeats_[i].second - allowed_));
    }
    c.adjust(ids_, [&](size_t i, float logit) { return float(double(logit) - penalties_[i]); });
  }

 private:
  // How many tokens follow the last breaker.
  size_t since_breaker(std::span<const int32_t> recent) const {
    for (size_t i = 0; i < recent.size(); ++i) {  // i tokens before the last one
      const size_t at = recent.size() - 1 - i;
      size_t longest = std::binary_search(single_.begin(), single_.end(), recent[at]);
      auto row = std::lower_bound(longer_.begin(), longer_.end(), std::vector<int32_t>{recent[at]});
      for (; row != longer_.end() && (*row)[0] == recent[at]; ++row) {
        if (row->size() <= i + 1 && std::equal(row->begin(), row->end(), recent.begin() + std::ptrdiff_t(at)))
          longest = row->size();  // in their order, the next one that fits too is longer
      }
      if (longest) return i + 1 - longest;
    }
    return recent.size();
  }

  // match_[k]: how many tokens before the k-th from the end are those at the end (Z algorithm, from behind: linear).
  void measure(std::span<const int32_t> recent) {
    const size_t n = recent.size();
    const auto back = [&](size_t i) { return recent[n - 1 - i]; };
    match_.assign(n, 0);
    for (size_t k = 1, left = 0, right = 0; k < n; ++k) {
      size_t length = k < right ? std::min(right - k, match_[k - left]) : 0;
      while (k + length < n && back(length) == back(k + length)) ++length;
      match_[k] = length;
      if (k + length > right) left = k, right = k + length;
    }
  }

  // multiplier * base^exponent, but finite as a float.
  double penalty(size_t exponent) const {
    constexpr double kMost = 1e30;
    double value = multiplier_, factor = base_;
    for (; exponent && value < kMost; exponent /= 2, factor = std::min(factor * factor, kMost)) {
      if (exponent % 2) value *= factor;
    }
    return std::min(value, kMost);
  }

  double multiplier_, base_;
  size_t allowed_, last_;
  std::vector<int32_t> single_;
  std::vector<std::vector<int32_t>> longer_;
  std::vector<size_t> match_;
  std::vector<std::pair<int32_t, size_t>> repeats_;
  std::vector<int32_t> ids_;
  std::vector<double> penalties_;
};

}  // namespace

std::unique_ptr<SamplerStep> make_dry(const SamplerOptions& o) {
  check_option("dry_multiplier", o.dry_multiplier, 0, 1e6);
  if (o.dry_base != 0) check_option("dry_base", o.dry_base, 1, 1e6);
  check_option("dry_allowed_length", o.dry_allowed_length, 0, 1 << 30);
  check_option("dry_penalty_last_n", o.dry_penalty_last_n, -1, 1 << 30);
  const bool off = o.dry_multiplier == 0 || o.dry_base == 0 || o.dry_penalty_last_n == 0;
  return off ? nullptr : std::make_unique<Dry>(o);
}

}  // namespace loam
