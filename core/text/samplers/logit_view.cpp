// Passes over all logits: blocks in which nothing matters are skipped, sums run in lanes.
#include "core/text/samplers/logit_view.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/text/samplers/vector_passes.h"

namespace loam {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
[[noreturn]] void fail_not_a_number(int32_t id) {
  fail(Code::bad_argument, "sampler: the logit of token %d is not a number", id);
}

float quick_scale(double temperature) { return float(1.4426950408889634 / temperature); }  // log2(e)

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
    uint8_t marks[kLogitBlock];
    for (; begin < end && !(full_ && end - begin >= kLogitBlock); ++begin) offer(int32_t(begin), logits[begin]);
    for (; end - begin >= kLogitBlock; begin += kLogitBlock) {
      if (!passes_.any_above(&logits[begin], threshold_)) continue;
      passes_.mark_above(&logits[begin], threshold_, marks);
      for (size_t i = 0; i < kLogitBlock; i += 8) {
        uint64_t some;
        std::memcpy(&some, marks + i, sizeof some);
        for (size_t at = some ? i : i + 8; at < i + 8; ++at) {
          if (marks[at]) offer(int32_t(begin + at), logits[begin + at]);
        }
      }
    }
    for (; begin < end; ++begin) offer(int32_t(begin), logits[begin]);
  }

 private:
  std::vector<Candidate>& out_;
  size_t wanted_;  // 0: all
  bool full_;      // others must exceed the threshold
  float threshold_;
  const VectorPasses& passes_ = vector_passes();
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

// f(logits, ids, first) for blocks of all candidates in the order of their ids: `ids`, or from `first` on where it is
// null. What does not fill a block is filled up with -inf.
template <class F>
void LogitView::visit_blocks(F&& f) const {
  float rest[kLogitBlock];
  int32_t ids[kLogitBlock];
  size_t left = 0;
  const auto flush = [&] {
    if (left == 0) return;
    std::fill(rest + left, rest + kLogitBlock, kMinusInfinity);
    f(static_cast<const float*>(rest), static_cast<const int32_t*>(ids), size_t(0));
    left = 0;
  };
  const auto add = [&](int32_t id, float x) {
    rest[left] = x;
    ids[left++] = id;
    if (left == kLogitBlock) flush();
  };
  visit(
      [&](size_t begin, size_t end) {
        for (; end - begin >= kLogitBlock; begin += kLogitBlock) {
          flush();
          f(&logits_[begin], static_cast<const int32_t*>(nullptr), begin);
        }
        for (; begin < end; ++begin) add(int32_t(begin), logits_[begin]);
      },
      add);
  flush();
}

float LogitView::largest() const {
  const VectorPasses& passes = vector_passes();
  float best = kMinusInfinity;
  visit_blocks([&](const float* x, const int32_t* ids, size_t first) {
    if (!passes.any_above(x, best)) return;
    for (size_t i = 0; i < kLogitBlock; ++i) {
      if (x[i] != x[i]) fail_not_a_number(ids ? ids[i] : int32_t(first + i));
      best = std::max(best, x[i]);
    }
  });
  return best;
}

size_t LogitView::count() const {
  int count = 0;
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    for (size_t i = 0; i < kLogitBlock; ++i) count += x[i] > kMinusInfinity;
  });
  return size_t(count);
}

bool LogitView::has_choice() const {
  int count = 0;
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    for (size_t i = 0; i < kLogitBlock && count < 2; ++i) count += x[i] > kMinusInfinity;
  });
  return count == 2;
}

WeightSums LogitView::sums(double largest, double temperature) const {
  const VectorPasses& passes = vector_passes();
  WeightSums out;
  double weights[kLogitBlock];
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    const BlockSums s = passes.weigh_exactly(x, largest, temperature, weights);
    out.weight += s.weight;
    out.surprise += s.surprise;
  });
  return out;
}

WeightSums LogitView::quick_sums(double largest, double temperature, double below) const {
  const VectorPasses& passes = vector_passes();
  const float scale = quick_scale(temperature);
  auto bound = float(below);  // the lowest float that is not less
  if (double(bound) < below) bound = std::nextafterf(bound, -kMinusInfinity);
  WeightSums out;
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    const BlockSums s = passes.weigh(x, float(largest), scale, bound);
    out.weight += s.weight;
    out.surprise += s.surprise;
  });
  out.weight_error = kWeightError * out.weight + kSurpriseError * out.surprise + 1e-30;
  out.surprise_error = kManyTimes * out.weight_error;
  return out;
}

// False: whether it is this candidate lies within the errors of the quick sums.
bool LogitView::find_share(double share, double largest, double temperature, bool quick, Candidate& found) const {
  const VectorPasses& passes = vector_passes();
  double weights[kLogitBlock], total = 0, surprise = 0;
  block_weights_.clear();
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    const BlockSums s = quick ? passes.weigh(x, float(largest), quick_scale(temperature), -kMinusInfinity)
                              : passes.weigh_exactly(x, largest, temperature, weights);
    block_weights_.push_back(s.weight);
    total += s.weight;
    surprise += s.surprise;
  });
  const double error = quick ? 2 * (kWeightError * total + kSurpriseError * surprise) : 0;
  double left = share * total;
  size_t wanted = 0, block = 0;
  for (size_t b = 0; b < block_weights_.size(); ++b) {
    if (block_weights_[b] <= 0) continue;
    wanted = b;
    if (left < block_weights_[b]) break;
    left -= block_weights_[b];
  }
  bool sure = !quick;  // also where rounding left a hair at the end
  visit_blocks([&](const float* x, const int32_t* ids, size_t first) {
    if (block++ != wanted) return;
    passes.weigh_exactly(x, largest, temperature, weights);
    for (size_t i = 0; i < kLogitBlock; ++i) {
      if (x[i] == kMinusInfinity) continue;
      found = {ids ? ids[i] : int32_t(first + i), x[i], weights[i]};
      if (left < weights[i]) {
        sure |= left > error && left + error < weights[i];
        return;
      }
      left -= weights[i];
    }
  });
  return sure;
}

Candidate LogitView::at_share(double share, double largest, double temperature) const {
  Candidate found{-1, 0, 0};
  if (!find_share(share, largest, temperature, true, found)) find_share(share, largest, temperature, false, found);
  return found;
}

Moments LogitView::moments() const {
  constexpr double kNone = double(kMinusInfinity);
  const VectorPasses& passes = vector_passes();
  double shift = kNone;  // about where they are: keeps the squares small
  double count = 0, sum = 0, squares = 0;
  visit_blocks([&](const float* x, const int32_t*, size_t) {
    if (shift == kNone) shift = double(*std::max_element(x, x + kLogitBlock));
    const BlockMoments m = passes.moments(x, shift > kNone ? shift : 0);
    count += m.count;
    sum += m.sum;
    squares += m.squares;
  });
  const double mean = sum / count;
  return {shift + mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

void LogitView::top(size_t count, std::vector<Candidate>& out) const {
  count = std::min(count, logits_.size());
  Gatherer gatherer(out, count, kMinusInfinity);
  visit([&](size_t begin, size_t end) { gatherer.offer(logits_, begin, end); },
        [&](int32_t id, float x) { gatherer.offer(id, x); });
  if (out.size() <= count) return;
  std::nth_element(out.begin(), out.begin() + std::ptrdiff_t(count), out.end(), likelier);
  out.resize(count);
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
