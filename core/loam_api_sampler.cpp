// The C API: choosing tokens.
#include <algorithm>
#include <cstddef>

#include "core/loam_api_sampler.h"
#include "core/text/samplers/dry_breakers.h"

using namespace loam;
using namespace loam::api;

namespace {

constexpr size_t kFirstSize = 40;  // of the options' first version
static_assert(offsetof(loam_sampler_options, dynatemp_range) == kFirstSize);

template <class T>
T or_default(T value, T otherwise) {
  return value == 0 ? otherwise : value;
}

std::vector<std::vector<int32_t>> breakers_of(const loam_sampler_options& o) {
  if (!o.dry_model || o.dry_multiplier == 0) return {};
  const auto& tokenizer = o.dry_model->state->tokenizer;
  if (!tokenizer) fail(Code::unsupported, "dry_model has no tokenizer");
  if (!o.dry_breakers) return dry_breakers(*tokenizer, default_dry_breakers());
  std::vector<std::string> texts;
  for (const char* const text : array_argument(o.dry_breakers, o.dry_breaker_count, "dry_breakers"))
    texts.emplace_back(&required(text, "a DRY breaker"));
  return dry_breakers(*tokenizer, texts);
}

// What is not checked here, the sampler checks.
SamplerOptions options_of(const loam_sampler_options& o) {
  if (o.repeat_last < 0) fail(Code::bad_argument, "repeat_last is %d, expected 0 or more", o.repeat_last);
  if (o.dry_last < 0) fail(Code::bad_argument, "dry_last is %d, expected 0 or more", o.dry_last);
  SamplerOptions options;
  options.temperature = o.temperature;
  options.top_k = o.top_k;
  options.top_p = o.top_p;
  options.min_p = o.min_p;
  options.repeat_penalty = o.repeat_penalty;
  options.repeat_last_n = o.repeat_last;
  options.seed = o.seed;
  options.dynatemp_range = o.dynatemp_range;
  options.dynatemp_exponent = or_default(o.dynatemp_exponent, 1.f);
  options.typical_p = or_default(o.typical_p, 1.f);
  options.top_n_sigma = o.top_n_sigma;
  options.xtc_probability = o.xtc_probability;
  options.xtc_threshold = or_default(o.xtc_threshold, 0.1f);
  options.frequency_penalty = o.frequency_penalty;
  options.presence_penalty = o.presence_penalty;
  options.dry_multiplier = o.dry_multiplier;
  options.dry_base = or_default(o.dry_base, 1.75f);
  options.dry_allowed_length = or_default(o.dry_allowed_length, 2);
  options.dry_penalty_last_n = or_default(o.dry_last, 64);
  options.dry_breakers = breakers_of(o);
  options.mirostat = o.mirostat;
  options.mirostat_tau = or_default(o.mirostat_tau, 5.f);
  options.mirostat_eta = or_default(o.mirostat_eta, 0.1f);
  options.adaptive_target = or_default(o.adaptive_target, -1.f);
  options.adaptive_decay = or_default(o.adaptive_decay, 0.9f);
  for (const loam_logit_bias& row : array_argument(o.logit_bias, o.logit_bias_count, "logit_bias"))
    options.logit_bias.push_back({row.token, row.bias});
  if (o.samplers) options.samplers = o.samplers;
  return options;
}

}  // namespace

extern "C" {

loam_status loam_sampler_create(const loam_sampler_options* options, loam_sampler** sampler) {
  return guarded([&] {
    required(sampler, "sampler") = nullptr;
    const loam_sampler_options o =
        read_options(options, loam_sampler_options(LOAM_SAMPLER_OPTIONS_INIT), kFirstSize, "loam_sampler_options");
    const SamplerOptions read = options_of(o);
    const int recent = read.dry_multiplier == 0 ? o.repeat_last : std::max(o.repeat_last, read.dry_penalty_last_n);
    *sampler = new loam_sampler{Sampler(read), size_t(recent), {}, {}};
  });
}

loam_status loam_sampler_free(loam_sampler* sampler) {
  return guarded([&] { delete sampler; });
}

loam_status loam_sampler_sample(loam_sampler* sampler, const float* logits, size_t count, int32_t* token) {
  return guarded([&] {
    required(token, "token") = -1;
    loam_sampler& s = required(sampler, "sampler");
    const std::span<const float> values = array_argument(logits, count, "logits");
    if (values.empty() || count > size_t(INT32_MAX)) fail(Code::bad_argument, "%zu logits", count);
    *token = s.sampler.pick(values, s.history, s.constraint.get());
  });
}

loam_status loam_sampler_accept(loam_sampler* sampler, int32_t token) {
  return guarded([&] {
    loam_sampler& s = required(sampler, "sampler");
    if (token < 0) fail(Code::bad_argument, "token %d is negative", token);
    if (s.constraint) s.constraint->accept(token);
    s.history.push_back(token);
    if (s.history.size() > 2 * s.recent + 64)  // drops old ones now and then, not at every call
      s.history.erase(s.history.begin(), s.history.end() - std::ptrdiff_t(s.recent));
  });
}

}  // extern "C"
