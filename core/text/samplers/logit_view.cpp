// Passes over all logits: blocks in which nothing matters are skipped, sums run in lanes.
#include "core/text/samplers/logit_view.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text/samplers/numbers.h"

namespace loam {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 32;  // logits that are compared together

[[noreturn]] void fail_not_a_number(int32_t id) {
  fail(Code::bad_argument, "sampler: the logit of token %d is not a number", id);
}

// Whether any of a block exceeds the threshold or is NaN.
bool any_above(const float* x, float threshold) {
  int any = 0;
  for (size_t i = 0; i < kBlock; ++i) any |= !(x[i] <= threshold);
  return any != 0;
}

constexpr size_t kSum = 256;  // values that are summed together: a number known beforehand becomes vector code

double sum_of(const double (&x)[kSum]) {
  double lanes[8] = {};
  for (size_t i = 0; i < kSum; i += 8) {
    for (size_t j = 0; j < 8; ++j) lanes[j] += x[i + j];
  }
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Collects candidates above a threshold; with a limit, that of the best so far, in a buffer of twice as many, so that
// nearly all logits cost one comparison. Ids come in ascending order: one that only equals the threshold is behind it.
class Gatherer {
 public:
  Gatherer(std::vector<Candidate>& out, size_t wanted, float threshold)
      : out_(out), wanted_(wanted), full_(threshold > kMinusInfinity), threshold_(threshold) {
    out.clear();
  }
  void offer(int32_t id, float logit) {
    if (logit != logit) fail_not_a_number(id);
    if (logit == kMinusInfinity || (full_ && logit <= threshold_)) return;
    out_.push_back({id, logit, 0});
    if (wanted_ == 0 || out_.size() < 2 * wanted_ + 64) return;
    const auto kth = out_.begin() + std::ptrdiff_t(wanted_ - 1);
    std::nth_element(out_.begin(), kth, out_.end(), likelier);
    threshold_ = kth->logit;
    full_ = true;
    out_.resize(wanted_);
  }
  void offer(std::span<const float> logits, size_t begin, size_t end) {
    while (begin < end) {
      if (full_ && end - begin >= kBlock && !any_above(&logits[begin], threshold_)) {
        begin += kBlock;
        continue;
      }
      for (const size_t stop = std::min(end, begin + kBlock); begin < stop; ++begin)
        offer(int32_t(begin), logits[begin]);
    }
  }

 private:
  std::vector<Candidate>& out_;
  size_t wanted_;  // 0: all
  bool full_;      // others must exceed the threshold
  float threshold_;
};

}  // namespace

void LogitView::begin(std::span<const float> logits) {
  logits_ = logits;
  restricted_ = false;
  changed_.clear();
}

void LogitView::restrict(std::span<const uint64_t> allowed) {
  allowed_ = allowed;
  restricted_ = true;
}

// Ids in [begin, end), all of them allowed: runs of unchanged logits, and the changed ones by themselves.
template <class Run, class One>
void LogitView::visit_allowed(size_t begin, size_t end, size_t& next, Run&& run, One&& one) const {
  while (next < changed_.size() && size_t(changed_[next].id) < begin) ++next;
  for (; next < changed_.size() && size_t(changed_[next].id) < end; ++next) {
    const size_t id = size_t(changed_[next].id);
    if (begin < id) run(begin, id);
    one(changed_[next].id, changed_[next].logit);
    begin = id + 1;
  }
  if (begin < end) run(begin, end);
}

// All candidates in the order of their ids.
template <class Run, class One>
void LogitView::visit(Run&& run, One&& one) const {
  size_t next = 0;
  if (!restricted_) return visit_allowed(0, logits_.size(), next, run, one);
  const size_t words = std::min(allowed_.size(), (logits_.size() + 63) / 64);
  size_t begin = 0, end = 0;  // allowed ids that were not visited yet
  for (size_t w = 0; w < words; ++w) {
    uint64_t bits = allowed_[w];
    if (logits_.size() - w * 64 < 64) bits &= (uint64_t(1) << (logits_.size() % 64)) - 1;
    while (bits) {  // one run of set bits after the other
      const int first = std::countr_zero(bits), after = first + std::countr_one(bits >> first);
      const size_t at = w * 64 + size_t(first);
      if (at != end) {
        visit_allowed(begin, end, next, run, one);
        begin = at;
      }
      end = w * 64 + size_t(after);
      bits = after == 64 ? 0 : bits >> after << after;
    }
  }
  visit_allowed(begin, end, next, run, one);
}

void LogitView::adjust(std::span<const int32_t> ids, const LogitChange& change) {
  merged_.clear();
  size_t old = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || size_t(ids[i]) >= logits_.size()) continue;
    while (old < changed_.size() && changed_[old].id < ids[i]) merged_.push_back(changed_[old++]);
    const bool again = old < changed_.size() && changed_[old].id == ids[i];
    const float logit = again ? changed_[old++].logit : logits_[size_t(ids[i])];
    merged_.push_back({ids[i], change(i, logit)});
  }
  merged_.insert(merged_.end(), changed_.begin() + std::ptrdiff_t(old), changed_.end());
  changed_.swap(merged_);
}

float LogitView::largest() const {
  float best = kMinusInfinity;
  const auto look = [&](int32_t id, float x) {
    if (x != x) fail_not_a_number(id);
    if (x > best) best = x;
  };
  const auto run = [&](size_t i, size_t end) {
    while (i < end) {
      if (end - i >= kBlock && !any_above(&logits_[i], best)) {
        i += kBlock;
        continue;
      }
      for (const size_t stop = std::min(end, i + kBlock); i < stop; ++i) look(int32_t(i), logits_[i]);
    }
  };
  visit(run, look);
  return best;
}

// The sum over all candidates of what f makes of a block of them, in place; it makes 0 of -inf.
template <class F>
double LogitView::sum(F&& f) const {
  double block[kSum], rest[kSum], total = 0;
  size_t left = 0;  // in rest, which has what does not fill a block by itself
  const auto add = [&](int32_t, float x) {
    rest[left++] = double(x);
    if (left < kSum) return;
    f(rest);
    total += sum_of(rest);
    left = 0;
  };
  const auto run = [&](size_t begin, size_t end) {
    for (; end - begin >= kSum; begin += kSum) {
      for (size_t i = 0; i < kSum; ++i) block[i] = double(logits_[begin + i]);
      f(block);
      total += sum_of(block);
    }
    for (; begin < end; ++begin) add(0, logits_[begin]);
  };
  visit(run, add);
  while (left) add(0, kMinusInfinity);
  return total;
}

double LogitView::total_weight(double largest, double temperature) const {
  return sum([&](double(&x)[kSum]) {
    for (double& v : x) v -= largest;
    if (temperature != 1) {
      for (double& v : x) v /= temperature;
    }
    exp_f64(x);
  });
}

Moments LogitView::moments() const {
  constexpr double kNone = double(kMinusInfinity);
  const double count = sum([](double(&x)[kSum]) {
    for (double& v : x) v = v > kNone ? 1.0 : 0.0;
  });
  const double mean = sum([](double(&x)[kSum]) {
                        for (double& v : x) v = v > kNone ? v : 0.0;
                      }) /
                      count;
  const double squares = sum([&](double(&x)[kSum]) {
    for (double& v : x) v = v > kNone ? (v - mean) * (v - mean) : 0.0;
  });
  return {mean, std::sqrt(squares / count)};
}

void LogitView::top(size_t count, std::vector<Candidate>& out) const {
  count = std::min(count, logits_.size());
  Gatherer gatherer(out, count, kMinusInfinity);
  visit([&](size_t begin, size_t end) { gatherer.offer(logits_, begin, end); },
        [&](int32_t id, float x) { gatherer.offer(id, x); });
  std::sort(out.begin(), out.end(), likelier);
  if (out.size() > count) out.resize(count);
}

void LogitView::from(double least, std::vector<Candidate>& out) const {
  const bool all = least == double(kMinusInfinity);
  // float() may have rounded up: the exact comparison comes after.
  Gatherer gatherer(out, 0, all ? kMinusInfinity : std::nextafterf(float(least), kMinusInfinity));
  visit([&](size_t begin, size_t end) { gatherer.offer(logits_, begin, end); },
        [&](int32_t id, float x) { gatherer.offer(id, x); });
  if (!all) std::erase_if(out, [&](const Candidate& c) { return double(c.logit) < least; });
}

}  // namespace loam
