// The logits of one step, less what is not allowed and with a few of them changed: what a sampling chain can ask of
// them without a list of candidates.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace loam {

struct Candidate {
  int32_t id;
  float logit;
  double weight;  // e^((logit - largest) / temperature), where it was asked for
};

// Most likely first, the lower id of equals. An object: sorts call it without a pointer.
constexpr auto likelier = [](const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
};

struct Moments {
  double mean, deviation;
};

// Of weights e^-y, and of y e^-y; the true sums are at most this far away.
struct WeightSums {
  double weight = 0, surprise = 0;
  double weight_error = 0, surprise_error = 0;
};

// Gives the new logit of the index-th of a list of ids.
using LogitChange = std::function<float(size_t index, float logit)>;

// A logit of -inf is no candidate. NaN is an Error of the function that meets it.
class LogitView {
 public:
  void begin(std::span<const float> logits);  // borrowed, as the mask
  // Only the tokens whose bit is set remain; ids behind the end of the mask are not allowed.
  void restrict(std::span<const uint64_t> allowed);
  // `ids` ascend; those that do not exist are no matter.
  void adjust(std::span<const int32_t> ids, const LogitChange& change);

  size_t count() const;     // of the candidates
  bool has_choice() const;  // there are two of them at least
  float largest() const;    // -inf: there is no candidate
  Moments moments() const;  // of the candidates' logits
  // Over all candidates. `temperature` divides the logits.
  WeightSums sums(double largest, double temperature) const;
  // Over those of a logit less than `below`, several times as fast, with bounds on the errors.
  WeightSums quick_sums(double largest, double temperature, double below) const;
  // Goes through the candidates by id to where they have this share of the total weight.
  Candidate at_share(double share, double largest, double temperature) const;
  void top(size_t count, std::vector<Candidate>& out) const;         // the likeliest
  void from(double least_logit, std::vector<Candidate>& out) const;  // those of at least this logit, by id

 private:
  struct Changed {
    int32_t id;
    float logit;
  };
  template <class Run, class One>
  void visit(Run&& run, One&& one) const;
  template <class Run, class One>
  void visit_allowed(size_t begin, size_t end, size_t& next, Run&& run, One&& one) const;
  template <class F>
  void visit_blocks(F&& f) const;
  bool find_share(double share, double largest, double temperature, bool quick, Candidate& found) const;

  std::span<const float> logits_;
  std::span<const uint64_t> allowed_;
  bool restricted_ = false;
  std::vector<Changed> changed_, merged_;  // by id, in place of the logits
  mutable std::vector<double> block_weights_;
};

}  // namespace loam
