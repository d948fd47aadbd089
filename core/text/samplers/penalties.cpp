// Changes to the logits of given tokens: the bias, and the penalties of recent tokens (repetition: Keskar et al. 2019;
// frequency and presence as in the API of OpenAI).
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

class Bias : public SamplerStep {
 public:
  explicit Bias(std::span<const LogitBias> rows) {
    std::vector<LogitBias> sorted(rows.begin(), rows.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const LogitBias& a, const LogitBias& b) { return a.token < b.token; });
    for (const LogitBias& row : sorted) {
      if (row.token < 0) fail(Code::bad_argument, "sampler: a logit bias for token %d: ids begin at 0", row.token);
      if (!(row.bias < std::numeric_limits<float>::infinity()))
        fail(Code::bad_argument, "sampler: the logit bias of token %d is %g, expected a number or -inf", row.token,
             double(row.bias));
      if (!ids_.empty() && ids_.back() == row.token) {
        biases_.back() += row.bias;
        continue;
      }
      ids_.push_back(row.token);
      biases_.push_back(row.bias);
    }
  }
  void apply(Candidates& c, StepContext&) override {
    c.adjust(ids_, [&](size_t i, float logit) { return logit + biases_[i]; });
  }

 private:
  std::vector<int32_t> ids_;
  std::vector<float> biases_;
};

class Penalties : public SamplerStep {
 public:
  explicit Penalties(const SamplerOptions& o)
      : repeat_(o.repeat_penalty), frequency_(o.frequency_penalty), presence_(o.presence_penalty) {
    last_ = o.repeat_last_n < 0 ? std::numeric_limits<size_t>::max() : size_t(o.repeat_last_n);
  }
  void apply(Candidates& c, StepContext& context) override {
    const auto recent = context.history.last(std::min(last_, context.history.size()));
    sorted_.assign(recent.begin(), recent.end());
    std::sort(sorted_.begin(), sorted_.end());
    ids_.clear();
    counts_.clear();
    for (const int32_t id : sorted_) {
      if (ids_.empty() || ids_.back() != id) ids_.push_back(id), counts_.push_back(0);
      ++counts_.back();
    }
    c.adjust(ids_, [&](size_t i, float logit) {
      const float changed = logit > 0 ? logit / repeat_ : logit * repeat_;
      return changed - (float(counts_[i]) * frequency_ + presence_);
    });
  }

 private:
  float repeat_, frequency_, presence_;
  size_t last_;
  std::vector<int32_t> sorted_, ids_, counts_;
};

}  // namespace

std::unique_ptr<SamplerStep> make_logit_bias(const SamplerOptions& o) {
  return o.logit_bias.empty() ? nullptr : std::make_unique<Bias>(o.logit_bias);
}

std::unique_ptr<SamplerStep> make_penalties(const SamplerOptions& o) {
  check_option("repeat_penalty", o.repeat_penalty, 1e-6, 1e6);
  check_option("frequency_penalty", o.frequency_penalty, -1e6, 1e6);
  check_option("presence_penalty", o.presence_penalty, -1e6, 1e6);
  check_option("repeat_last_n", o.repeat_last_n, -1, 1 << 30);
  const bool off = o.repeat_penalty == 1 && o.frequency_penalty == 0 && o.presence_penalty == 0;
  return off || o.repeat_last_n == 0 ? nullptr : std::make_unique<Penalties>(o);
}

}  // namespace loam
