// Random logits, options and histories for the tests of the samplers, and each step beside its definition.
#pragma once
#include <algorithm>
#include <random>
#include <string>

#include "core/text/samplers/step.h"
#include "tests/sampler_definitions.h"

namespace loam::tests {

struct Seeded {
  uint32_t seed = std::random_device{}();
  std::mt19937 rng{seed};
};

// Random ones with ties, all alike, impossible ones, a single possible one, one token, wide ranges, bell curves.
inline std::vector<float> some_logits(std::mt19937& rng, size_t most) {
  const uint32_t shape = rng() % 8;
  std::vector<float> logits(shape == 0 ? 1 : 1 + rng() % most);
  std::normal_distribution<float> bell(0, 3);
  for (float& l : logits) {
    l = shape == 1 ? 1.5f : shape < 5 ? float(int(rng() % 2000)) / 100.f - 10.f : bell(rng);
    if (shape == 5) l *= 300;
    if (shape == 6 && rng() % 2) l = -INFINITY;
    if (shape == 7 && rng() % 4) l = -INFINITY;
  }
  logits[rng() % logits.size()] = 2;
  return logits;
}

inline float real(std::mt19937& rng, float least, float most) {
  return least + (most - least) * float(rng() % 10000) / 10000.f;
}

inline SamplerOptions some_options(std::mt19937& rng) {
  SamplerOptions o;
  o.temperature = rng() % 8 ? real(rng, 0.2f, 2.f) : 0;
  o.dynatemp_range = rng() % 3 ? 0 : real(rng, 0.1f, 1.f);
  o.dynatemp_exponent = real(rng, 0.5f, 2.f);
  o.top_k = rng() % 3 ? int(1 + rng() % 100) : 0;
  o.top_p = rng() % 3 ? real(rng, 0, 1) : 1;
  o.min_p = rng() % 3 ? real(rng, 0.001f, 0.5f) : 0;
  o.typical_p = rng() % 3 ? real(rng, 0.01f, 1) : 1;
  o.top_n_sigma = rng() % 3 ? real(rng, 0.1f, 4) : 0;
  o.xtc_probability = rng() % 3 ? real(rng, 0, 1) : rng() % 2 ? 0 : 1;
  o.xtc_threshold = real(rng, 0.001f, 0.6f);
  o.repeat_penalty = rng() % 3 ? real(rng, 0.5f, 2) : 1;
  o.frequency_penalty = rng() % 3 ? real(rng, -1, 1) : 0;
  o.presence_penalty = rng() % 3 ? real(rng, -1, 1) : 0;
  o.repeat_last_n = int(rng() % 40) - 1;
  o.dry_multiplier = rng() % 4 ? real(rng, 0.1f, 2) : 0;
  o.dry_base = real(rng, 1, 3);
  o.dry_allowed_length = int(rng() % 4);
  o.dry_penalty_last_n = int(rng() % 60) - 1;
  for (uint32_t i = rng() % 3; i > 0; --i) {
    o.dry_breakers.emplace_back();
    for (uint32_t j = 1 + rng() % 3; j > 0; --j) o.dry_breakers.back().push_back(int32_t(rng() % 4));
  }
  for (uint32_t i = rng() % 4; i > 0; --i)
    o.logit_bias.push_back({int32_t(rng() % 30), rng() % 5 ? real(rng, -5, 5) : -INFINITY});
  o.seed = rng();
  return o;
}

inline std::vector<int32_t> some_history(std::mt19937& rng, uint32_t vocab) {
  std::vector<int32_t> history(rng() % 80);
  const uint32_t alphabet = rng() % 2 ? std::min(vocab, 3u) : vocab + 2;
  for (int32_t& t : history) t = int32_t(rng() % alphabet);
  return history;
}

struct Step {
  std::string name;
  std::unique_ptr<SamplerStep> (*make)(const SamplerOptions&);
  void (*define)(Definition&, const SamplerOptions&, const std::vector<int32_t>&, Random&);
};

#define LOAM_DEFINE [](Definition & d, const SamplerOptions& o, const std::vector<int32_t>& history, Random& random)
inline const Step kSteps[] = {{"logit_bias", make_logit_bias, LOAM_DEFINE{(void)history, (void)random, d.bias(o);
}  // namespace loam::tests
}
, {"penalties", make_penalties, LOAM_DEFINE{(void)random, d.penalties(o, history);
}
}
, {"dry", make_dry, LOAM_DEFINE{(void)random, d.dry(o, history);
}
}
, {"top_n_sigma", make_top_n_sigma, LOAM_DEFINE{(void)history, (void)random, d.top_n_sigma(double(o.top_n_sigma));
}
}
, {"top_k", make_top_k, LOAM_DEFINE{(void)history, (void)random, d.top_k(o.top_k);
}
}
, {"typ_p", make_typical, LOAM_DEFINE{(void)history, (void)random, d.typical(double(o.typical_p));
}
}
, {"top_p", make_top_p, LOAM_DEFINE{(void)history, (void)random, d.top_p(double(o.top_p));
}
}
, {"min_p", make_min_p, LOAM_DEFINE{(void)history, (void)random, d.min_p(double(o.min_p));
}
}
, {"xtc", make_xtc, LOAM_DEFINE{(void)history, d.xtc(double(o.xtc_probability), double(o.xtc_threshold), random);
}
}
, {"temperature", make_temperature, LOAM_DEFINE{(void)history, (void)random, d.heat(o);
}
}
,
}
;
#undef LOAM_DEFINE

}  // namespace loam::tests
