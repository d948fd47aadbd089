// The tokens that a sampling chain still considers. At first only a view of the logits: a list is made by the step that
// needs one, so that a chain whose first filter is cheap never copies the vocabulary.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/text/constraint.h"
#include "core/text/samplers/logit_view.h"
#include "core/text/samplers/numbers.h"

namespace loam {

class Candidates {
 public:
  // All tokens; borrows the logits. A logit of -inf is no candidate; any other that is not finite is an Error.
  void begin(std::span<const float> logits);
  // Only the tokens whose bit is set remain. Allowed after begin() and adjust().
  void restrict(std::span<const uint64_t> allowed);

  // Changes the logits of those of `ids` (ascending, each once) that are candidates.
  void adjust(std::span<const int32_t> ids, const LogitChange& change);
  // Divides all logits.
  void scale(double temperature) { temperature_ *= temperature, weighed_ = false; }

  // Each keep_ function fails with bad_argument where nothing that can be drawn is left.
  void keep_top(size_t count);          // in order, the likeliest first
  void keep_share(double share);        // the fewest likeliest that have this share of the total weight; in order
  void keep_likely(double share);       // those that have this share by themselves, but the likeliest in any case
  void keep_weights(double least);      // in their order; the likeliest has weight 1
  void keep_logits_from(double least);  // in their order; of the logits as they were before scale()
  template <class F>
  void keep_if(F&& f);                                      // f(candidate); in their order
  void drop(std::span<const int32_t> ids, double largest);  // ascending; the largest logit of the others
  // keep_top among the allowed ones, without the mask. False: that was not found out, and nothing is changed.
  bool keep_allowed_top(size_t count, TokenConstraint& constraint);
  void choose(size_t index);  // of all()
  void draw(Random& random);  // one, as often as its weight says

  // The list, made where it was not yet: in order after keep_top and keep_share, else by id.
  std::span<Candidate> all();
  size_t count();
  bool has_choice() { return listed_ ? items_.size() > 1 : view_.has_choice(); }
  double weigh();    // all weights; returns their sum
  double largest();  // logit
  double entropy();  // in nats, rounded to a multiple of 1 / kEntropySteps
  static constexpr double kEntropySteps = 1024;
  Moments moments();
  double temperature() const { return temperature_; }  // what the logits were divided by; they stay as they were

  // The likely ones without a list of all: those of weights from e^-depth on, weighed, and sums over all candidates.
  // Where there is a list, it is what it is. Good until the next call of a function that is not const.
  struct Survey {
    std::span<const Candidate> likely;
    WeightSums sums;
    bool all;  // the sums are exact then
  };
  Survey survey(double depth);
  // Surveys those with this share of the total weight, and more; `least`: the weight that has just this share.
  std::span<const Candidate> survey_share(double share, double& least);
  template <class F>
  void keep_surveyed(F&& f);                            // as keep_if; those that are not in the last survey go
  void top(size_t count, std::vector<Candidate>& out);  // the likeliest, sorted; nothing is changed

  bool chosen() const { return chosen_; }
  const Candidate& choice() const { return items_[0]; }

 private:
  void list();
  void sort(size_t count);
  void select(size_t begin, size_t middle, size_t end);
  void list_changed();
  void check_largest() const;
  double weigh_items();
  size_t likeliest_with(double enough, double& sum);

  LogitView view_;
  bool listed_ = false;  // items_ has all candidates
  bool ranked_ = false;  // ... in the order of likelier, which those behind sorted_ have yet to be brought into
  bool chosen_ = false, weighed_ = false, largest_known_ = false;
  double temperature_ = 1, largest_ = 0, total_ = 0;
  size_t sorted_ = 0;  // so many at the beginning of items_ are the likeliest, in order
  std::vector<Candidate> items_;
};

template <class F>
void Candidates::keep_if(F&& f) {
  list();
  keep_surveyed(f);
}

template <class F>
void Candidates::keep_surveyed(F&& f) {
  size_t kept = 0, sorted = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!f(items_[i])) continue;
    sorted += i < sorted_;
    items_[kept++] = items_[i];
  }
  items_.resize(kept);
  sorted_ = sorted;
  largest_known_ = false;
  list_changed();
}

}  // namespace loam
