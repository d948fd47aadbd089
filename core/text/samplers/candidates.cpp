// Filters that ask the view of the logits while they can.
#include "core/text/samplers/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/math.h"

namespace loam {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

}  // namespace

void Candidates::begin(std::span<const float> logits) {
  view_.begin(logits);
  listed_ = chosen_ = weighed_ = largest_known_ = false;
  items_.clear();
  sorted_ = 0;
  temperature_ = 1;
}

void Candidates::restrict(std::span<const uint64_t> allowed) {
  view_.restrict(allowed);
  largest_known_ = false;
}

void Candidates::adjust(std::span<const int32_t> ids, const LogitChange& change) {
  if (ids.empty()) return;
  if (temperature_ != 1) {
    constexpr double kMost = double(std::numeric_limits<float>::max());
    for (Candidate& c : all()) c.logit = float(std::clamp(double(c.logit) / temperature_, -kMost, kMost));
    temperature_ = 1;
  }
  largest_known_ = weighed_ = false;
  if (!listed_) return view_.adjust(ids, change);
  for (Candidate& c : items_) {
    const auto at = std::lower_bound(ids.begin(), ids.end(), c.id);
    if (at != ids.end() && *at == c.id) c.logit = change(size_t(at - ids.begin()), c.logit);
  }
  sorted_ = 0;
  keep_if([](const Candidate& c) { return double(c.logit) != kMinusInfinity; });
}

void Candidates::check_largest() const {
  if (largest_ == kMinusInfinity)
    fail(Code::bad_argument, "sampler: no token is left: all logits are -inf, or no token is allowed");
  if (!std::isfinite(largest_)) fail(Code::bad_argument, "sampler: the largest logit is not finite");
}

double Candidates::largest() {
  if (largest_known_) return largest_;
  largest_ = kMinusInfinity;
  if (!listed_)
    largest_ = double(view_.largest());
  else if (sorted_)
    largest_ = double(items_[0].logit);
  else
    for (const Candidate& c : items_) largest_ = std::max(largest_, double(c.logit));
  check_largest();
  largest_known_ = true;
  return largest_;
}

std::span<Candidate> Candidates::all() {
  if (listed_) return items_;
  view_.from(kMinusInfinity, items_);
  sorted_ = 0;
  list_changed();
  return items_;
}

void Candidates::sort(size_t count) {
  all();
  count = std::min(count, items_.size());
  if (count <= sorted_) return;
  const auto from = items_.begin() + std::ptrdiff_t(sorted_), to = items_.begin() + std::ptrdiff_t(count);
  if (to != items_.end()) std::nth_element(from, to, items_.end(), likelier);
  std::sort(from, to, likelier);
  sorted_ = count;
}

// items_ is the list now.
void Candidates::list_changed() {
  listed_ = true;
  weighed_ = false;
  if (items_.empty()) largest_ = kMinusInfinity, check_largest();
  largest();
}

void Candidates::keep_top(size_t count) {
  if (listed_) {
    sort(count);
    items_.resize(std::min(count, items_.size()));
  } else {
    view_.top(count, items_);
    sorted_ = items_.size();
    largest_known_ = false;
  }
  list_changed();
}

bool Candidates::keep_allowed_top(size_t count, TokenConstraint& constraint) {
  view_.top(2 * count + 16, items_);
  size_t kept = 0;
  for (size_t at = 0; at < items_.size() && kept < count && items_.size() - at >= count - kept; ++at) {
    if (constraint.allows(items_[at].id)) items_[kept++] = items_[at];
  }
  const bool found = kept == count;
  items_.resize(found ? kept : 0);
  sorted_ = items_.size();
  largest_known_ = false;
  if (found) list_changed();
  return found;
}

double Candidates::total_weight() { return listed_ ? weigh() : view_.total_weight(largest(), temperature_); }

double Candidates::weigh() {
  all();
  if (weighed_) return total_;
  constexpr size_t kBlock = 256;
  double block[kBlock];
  total_ = 0;
  for (size_t begin = 0; begin < items_.size(); begin += kBlock) {
    const std::span<double> part(block, std::min(kBlock, items_.size() - begin));
    for (size_t i = 0; i < part.size(); ++i) part[i] = (double(items_[begin + i].logit) - largest_) / temperature_;
    exp_f64(part);
    for (size_t i = 0; i < part.size(); ++i) {
      items_[begin + i].weight = part[i];
      total_ += part[i];
    }
  }
  weighed_ = true;
  return total_;
}

// Sorts only as far as it must.
void Candidates::keep_share(double share) {
  constexpr size_t kFirst = 128, kMost = 8192;  // as many are looked for without a list
  const double enough = share * total_weight();
  double sum = 0;
  const auto reached = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      sum += weight_of(items_[i].logit);
      if (sum < enough) continue;
      items_.resize(i + 1);
      sorted_ = std::max(sorted_, i + 1);
      list_changed();
      return true;
    }
    return false;
  };
  for (size_t count = kFirst; !listed_ && count <= kMost; count *= 8) {
    view_.top(count, items_);
    sum = 0;
    if (reached(0, items_.size())) return;
  }
  all();
  sum = 0;
  for (size_t done = 0; done < items_.size();) {
    const size_t end = std::min(items_.size(), std::max<size_t>(64, 4 * done));
    sort(end);
    if (reached(done, end)) return;
    done = end;
  }
}

void Candidates::keep_weights(double least) {
  if (!listed_ && least > 0) {  // a little below the bound: rounding must not lose what the exact comparison keeps
    view_.from(largest() + temperature_ * natural_log(least) * (1 + 1e-9) - 1e-6, items_);
    sorted_ = 0;
    list_changed();
  }
  weigh();
  std::erase_if(items_, [&](const Candidate& c) { return c.weight < least; });
  sorted_ = std::min(sorted_, items_.size());
  list_changed();
}

void Candidates::keep_logits_from(double least) {
  if (!listed_) {
    view_.from(least, items_);
    sorted_ = 0;
  } else {
    std::erase_if(items_, [&](const Candidate& c) { return double(c.logit) < least; });
    sorted_ = std::min(sorted_, items_.size());
  }
  list_changed();
}

double Candidates::entropy() {
  const double total = weigh();
  double sum = 0;
  for (const Candidate& c : items_) sum += c.weight * ((double(c.logit) - largest_) / temperature_);
  return natural_log(total) - sum / total;
}

Moments Candidates::moments() {
  if (!listed_) {
    const Moments m = view_.moments();
    if (!std::isfinite(m.mean) || !std::isfinite(m.deviation)) largest(), all();  // finds what is wrong
    return m;
  }
  double sum = 0, squares = 0;
  for (const Candidate& c : items_) sum += double(c.logit);
  const double mean = sum / double(items_.size());
  for (const Candidate& c : items_) squares += (double(c.logit) - mean) * (double(c.logit) - mean);
  return {mean, std::sqrt(squares / double(items_.size()))};
}

void Candidates::choose(size_t index) {
  items_[0] = items_[index];
  items_.resize(1);
  chosen_ = true;
}

void Candidates::draw(Random& random) {
  double left = random.uniform() * weigh();
  size_t at = 0;
  for (; at + 1 < items_.size(); ++at) {  // the last one: rounding left a hair at the end
    left -= items_[at].weight;
    if (left < 0) break;
  }
  choose(at);
}

}  // namespace loam
