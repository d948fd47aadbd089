// The C API: choosing tokens.
#include "core/loam_api_internal.h"
#include "core/text/sampler.h"

using namespace loam;
using namespace loam::api;

struct loam_sampler {
  Sampler sampler;
  size_t recent;                 // tokens that the penalty looks at
  std::vector<int32_t> history;  // at least the recent ones, oldest first
};

namespace {

// What is not checked here, the sampler checks.
SamplerOptions options_of(const loam_sampler_options& o) {
  if (o.repeat_last < 0) fail(Code::bad_argument, "repeat_last is %d, expected 0 or more", o.repeat_last);
  SamplerOptions options;
  options.temperature = o.temperature;
  options.top_k = o.top_k;
  options.top_p = o.top_p;
  options.min_p = o.min_p;
  options.repeat_penalty = o.repeat_penalty;
  options.repeat_last_n = o.repeat_last;
  options.seed = o.seed;
  return options;
}

}  // namespace

extern "C" {

loam_status loam_sampler_create(const loam_sampler_options* options, loam_sampler** sampler) {
  return guarded([&] {
    required(sampler, "sampler") = nullptr;
    const loam_sampler_options o = read_options(options, loam_sampler_options(LOAM_SAMPLER_OPTIONS_INIT),
                                                sizeof(loam_sampler_options), "loam_sampler_options");
    *sampler = new loam_sampler{Sampler(options_of(o)), size_t(o.repeat_last), {}};
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
    *token = s.sampler.pick(values, s.history);
  });
}

loam_status loam_sampler_accept(loam_sampler* sampler, int32_t token) {
  return guarded([&] {
    loam_sampler& s = required(sampler, "sampler");
    if (token < 0) fail(Code::bad_argument, "token %d is negative", token);
    s.history.push_back(token);
    if (s.history.size() > 2 * s.recent + 64)  // drops old ones now and then, not at every call
      s.history.erase(s.history.begin(), s.history.end() - std::ptrdiff_t(s.recent));
  });
}

}  // extern "C"
