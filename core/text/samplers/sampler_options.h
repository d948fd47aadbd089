// What the sampling chain can be told. Defaults leave all but top-k, top-p, min-p and temperature switched off.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loam {

struct LogitBias {
  int32_t token;
  float bias;  // is added to the logit; -inf: never
};

struct SamplerOptions {
  float temperature = 0.8f;     // divides the logits; 0: the largest logit, of equal ones the lowest id
  float dynatemp_range = 0;     // the temperature moves by so much with the entropy (0: off)
  float dynatemp_exponent = 1;  // how: of the entropy's share of the largest possible one
  int top_k = 40;               // keep the k most likely; 0: all
  float top_p = 0.95f;          // keep the fewest that have this probability together; 1: all
  float min_p = 0.05f;          // keep those at least this likely relative to the likeliest; 0: all
  float typical_p = 1;          // keep the fewest of near average surprise with this probability together; 1: all
  float top_n_sigma = 0;        // keep logits within n standard deviations of the largest; 0 or less: all
  float xtc_probability = 0;    // how often all but the least likely of those ...
  float xtc_threshold = 0.1f;   // ... that have at least this probability are removed; above 0.5: never
  float repeat_penalty = 1;     // divides positive and multiplies negative logits of recent tokens; 1: none
  float frequency_penalty = 0;  // is taken off once per occurrence among the recent tokens
  float presence_penalty = 0;   // is taken off once where it occurs at all
  int repeat_last_n = 64;       // how many tokens are recent; 0: none, -1: all
  float dry_multiplier = 0;  // multiplier * base^(n - allowed length) is taken off tokens that go on with a repetition
  float dry_base = 1.75f;    // of n tokens; 0: off
  int dry_allowed_length = 2;
  int dry_penalty_last_n = 64;                     // how far back repetitions count; 0: off, -1: all
  std::vector<std::vector<int32_t>> dry_breakers;  // tokens that no repetition reaches across; see dry_breakers()
  int mirostat = 0;                                // 1 or 2: in place of all filters; 0: off
  float mirostat_tau = 5;                          // the surprise to keep to, in bits
  float mirostat_eta = 0.1f;                       // learning rate
  float adaptive_target = -1;  // of adaptive_p, which runs only where it is named: probability to keep to; below 0: off
  float adaptive_decay = 0.9f;  // of its memory
  std::vector<LogitBias> logit_bias;
  // Names in the order in which they run, separated by semicolons; empty: default_samplers().
  std::string samplers;
  uint64_t seed = 0;
};

// "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature"
std::string default_samplers();

}  // namespace loam
