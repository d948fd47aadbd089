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
constexpr double kDeepest = 700;  // of a survey: weights below e^-700 are 0

}  // namespace

void Candidates::begin(std::span<const float> logits) {
  view_.begin(logits);
  listed_ = ranked_ = chosen_ = weighed_ = largest_known_ = false;
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
  if (listed_) all();  // in the order that the logits have now
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
  sorted_ = 0, ranked_ = false;
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

void Candidates::list() {
  if (listed_) return;
  view_.from(kMinusInfinity, items_);
  sorted_ = 0;
  list_changed();
}

std::span<Candidate> Candidates::all() {
  list();
  if (ranked_) sort(items_.size());
  return items_;
}

// Of items_, which need not be all.
void Candidates::sort(size_t count) {
  count = std::min(count, items_.size());
  if (count <= sorted_) return;
  select(sorted_, count, items_.size());
  std::sort(items_.begin() + std::ptrdiff_t(sorted_), items_.begin() + std::ptrdiff_t(count), likelier);
  sorted_ = count;
}

// Of items_[begin, end) the likeliest come before `middle`.
void Candidates::select(size_t begin, size_t middle, size_t end) {
  const auto at = [&](size_t i) { return items_.begin() + std::ptrdiff_t(i); };
  if (begin < middle && middle < end) std::nth_element(at(begin), at(middle), at(end), likelier);
}

// items_ is the list now.
void Candidates::list_changed() {
  listed_ = true;
  weighed_ = false;
  if (items_.empty()) largest_ = kMinusInfinity, check_largest();
  largest();
}

void Candidates::keep_top(size_t count) {
  if (!listed_) {
    view_.top(count, items_);
    sorted_ = 0;
    largest_known_ = false;
  } else if (count < items_.size()) {
    select(sorted_, count, items_.size());
    items_.resize(count);
    sorted_ = std::min(sorted_, count);
  }
  ranked_ = true;
  list_changed();
}

bool Candidates::keep_allowed_top(size_t count, TokenConstraint& constraint) {
  view_.top(2 * count + 16, items_);
  std::sort(items_.begin(), items_.end(), likelier);
  size_t kept = 0;
  for (size_t at = 0; at < items_.size() && kept < count && items_.size() - at >= count - kept; ++at) {
    if (constraint.allows(items_[at].id)) items_[kept++] = items_[at];
  }
  const bool found = kept == count;
  items_.resize(found ? kept : 0);
  sorted_ = items_.size();
  largest_known_ = false;
  ranked_ = found;
  if (found) list_changed();
  return found;
}

double Candidates::weigh_items() {
  constexpr size_t kBlock = 256;
  double block[kBlock], total = 0;
  for (size_t begin = 0; begin < items_.size(); begin += kBlock) {
    const std::span<double> part(block, std::min(kBlock, items_.size() - begin));
    for (size_t i = 0; i < part.size(); ++i) part[i] = (double(items_[begin + i].logit) - largest_) / temperature_;
    exp_f64(part);
    for (size_t i = 0; i < part.size(); ++i) {
      items_[begin + i].weight = part[i];
      total += part[i];
    }
  }
  return total;
}

double Candidates::weigh() {
  list();
  if (!weighed_) total_ = weigh_items();
  weighed_ = true;
  return total_;
}

Candidates::Survey Candidates::survey(double depth) {
  WeightSums sums;
  if (!listed_ && depth < kDeepest) {
    const double least = largest() - depth * temperature_;
    view_.from(least, items_);
    sorted_ = 0;
    sums = view_.quick_sums(largest_, temperature_, least);
    sums.weight += weigh_items();
  } else {
    sums.weight = weigh();
  }
  for (const Candidate& c : items_) sums.surprise += c.weight * ((largest_ - double(c.logit)) / temperature_);
  return {items_, sums, listed_};
}

std::span<const Candidate> Candidates::survey_share(double share, double& least) {
  const Survey s = survey(share > 0 ? 1e-6 - natural_log(share) : kDeepest);  // the total is at least 1
  least = share * s.sums.weight;
  const double error = share * s.sums.weight_error;
  const auto unsure = [&](const Candidate& c) { return std::abs(c.weight - least) <= error; };
  if (!s.all && std::any_of(items_.begin(), items_.end(), unsure))
    least = share * view_.sums(largest_, temperature_).weight;
  return items_;
}

// How many of the likeliest of items_ have so much weight together, and come first then; more than there are: they all
// have less. `sum`: what they have. Nothing is sorted: the place is found by halves.
size_t Candidates::likeliest_with(double enough, double& sum) {
  sum = 0;
  size_t low = 0, high = items_.size();
  for (; low < sorted_; ++low) {
    if ((sum += items_[low].weight) >= enough) return low + 1;
  }
  for (size_t middle = std::min(low + 64, high); low < high;
       middle = std::max(low + 1, std::min(middle, (low + high) / 2))) {
    select(low, middle, high);
    double part = 0;
    for (size_t i = low; i < middle; ++i) part += items_[i].weight;
    if (sum + part < enough) {
      sum += part;
      low = middle;
      middle = 4 * middle;
    } else if (middle - low == 1) {
      sum += part;
      return middle;
    } else {
      high = middle;
    }
  }
  return items_.size() + 1;
}

void Candidates::keep_share(double share) {
  // How deep it lies depends on the model; a survey that was not deep enough is lost time.
  const double first = 6 - 1.5 * natural_log(1 - share);
  for (const double depth : {first, first + 4, first + 8, kDeepest}) {
    const Survey s = survey(depth);
    const double enough = share * s.sums.weight, error = share * s.sums.weight_error;
    double sum;
    size_t count = likeliest_with(enough - error, sum);
    if (!s.all && count <= items_.size() && sum < enough + error)
      count = likeliest_with(share * view_.sums(largest_, temperature_).weight, sum);
    if (count > items_.size() && !s.all) continue;
    items_.resize(std::min(count, items_.size()));
    sorted_ = std::min(sorted_, items_.size());
    ranked_ = true;
    return list_changed();
  }
}

void Candidates::keep_likely(double share) {
  double least;
  survey_share(share, least);
  if (least > 1) return keep_top(1);
  keep_surveyed([&](const Candidate& c) { return c.weight >= least; });
}

void Candidates::drop(std::span<const int32_t> ids, double largest) {
  if (listed_) return keep_if([&](const Candidate& c) { return !std::binary_search(ids.begin(), ids.end(), c.id); });
  view_.adjust(ids, [](size_t, float) { return float(kMinusInfinity); });
  largest_ = largest, largest_known_ = true, weighed_ = false;
}

void Candidates::top(size_t count, std::vector<Candidate>& out) {
  if (!listed_) {
    view_.top(count, out);
    return std::sort(out.begin(), out.end(), likelier);
  }
  out.resize(std::min(count, items_.size()));
  std::partial_sort_copy(items_.begin(), items_.end(), out.begin(), out.end(), likelier);
}

size_t Candidates::count() { return listed_ ? items_.size() : view_.count(); }

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
  constexpr double kDepth = 8;
  const Survey s = survey(listed_ ? 0 : kDepth);
  WeightSums sums = s.sums;
  const auto steps = [&] { return (natural_log(sums.weight) + sums.surprise / sums.weight) * kEntropySteps + 0.5; };
  const double error = (sums.weight_error * (1 + sums.surprise / sums.weight) + sums.surprise_error) / sums.weight;
  if (!s.all && std::floor(steps() - error * kEntropySteps) != std::floor(steps() + error * kEntropySteps))
    sums = view_.sums(largest_, temperature_);
  return std::floor(steps()) / kEntropySteps;
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
  if (!listed_) {
    const double share = random.uniform();
    items_.assign(1, view_.at_share(share, largest(), temperature_));
    chosen_ = true;
    return;
  }
  double left = random.uniform() * weigh();
  size_t at = 0;
  for (; at + 1 < items_.size(); ++at) {                               // the last one: rounding left a hair at the end
    if (ranked_ && at >= sorted_) sort(std::max<size_t>(64, 4 * at));  // only as far as it must
    left -= items_[at].weight;
    if (left < 0) break;
  }
  choose(at);
}

}  // namespace loam
