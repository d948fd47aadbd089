// One step of the sampling chain, and the list of all steps that exist.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/text/samplers/candidates.h"
#include "core/text/samplers/sampler_options.h"

namespace loam {

struct StepContext {
  std::span<const int32_t> history;  // the tokens so far, prompt included
  Random& random;
};

class SamplerStep {
 public:
  virtual ~SamplerStep() = default;
  virtual void apply(Candidates& candidates, StepContext& context) = 0;
};

enum class StepKind : uint8_t {
  adjust,  // changes logits of some tokens, whatever the others are
  filter,  // keeps the likeliest ones; how many may depend on all
  other,
};

struct StepRow {
  std::string_view name;     // in --samplers
  std::string_view aliases;  // separated by commas
  StepKind kind;
  // Checks its options (bad_argument) and returns nullptr where they switch it off.
  std::unique_ptr<SamplerStep> (*make)(const SamplerOptions&);
};

std::span<const StepRow> sampler_steps();  // in the default order; those that only run where they are named come last

std::unique_ptr<SamplerStep> make_logit_bias(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_penalties(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_dry(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_top_n_sigma(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_top_k(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_typical(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_top_p(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_min_p(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_xtc(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_temperature(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_adaptive_p(const SamplerOptions&);
std::unique_ptr<SamplerStep> make_mirostat(const SamplerOptions&);

// bad_argument where value is not a number in [least, most].
void check_option(const char* name, double value, double least, double most);

}  // namespace loam
