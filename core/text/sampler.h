// Chooses the next token: a chain of steps over the candidates (core/text/samplers/), then a draw. The default order is
// penalties, DRY, top-n-sigma, top-k, typical, top-p, min-p, XTC, temperature. Bits are the same on every machine: no
// libm, no std::distribution.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "core/text/samplers/sampler_options.h"

namespace loam {

class TokenConstraint;

class Sampler {
 public:
  // Fails with bad_argument where an option is out of range, or a name in options.samplers is unknown.
  explicit Sampler(const SamplerOptions& options);
  ~Sampler();
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;

  // `history`: the tokens so far, prompt included. A logit that is NaN, or none at all, is an Error; -inf means never.
  // `constraint`: tokens that it does not allow are removed before the chain begins; Error{bad_argument} where nothing
  // is left. It is not told of the choice: who makes the token part of the text calls accept().
  int32_t pick(std::span<const float> logits, std::span<const int32_t> history, TokenConstraint* constraint = nullptr);
  const SamplerOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace loam
