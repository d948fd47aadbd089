// Chooses the next token. The chain, in this order: repetition penalty, top-k, top-p, min-p, temperature, draw.
// Bits are the same on every machine: no libm, no std::distribution.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace loam {

class TokenConstraint;

struct SamplerOptions {
  float temperature = 0.8f;    // 0: the largest logit, of equal ones the lowest id
  int top_k = 40;              // keep the k most likely; 0: all
  float top_p = 0.95f;         // keep the fewest that have this probability together; 1: all
  float min_p = 0.05f;         // keep those at least this likely relative to the likeliest; 0: all
  float repeat_penalty = 1.f;  // divides positive and multiplies negative logits of recent tokens; 1: none
  int repeat_last_n = 64;      // how many tokens are recent; 0: none, -1: all
  uint64_t seed = 0;
};

class Sampler {
 public:
  // Fails with bad_argument where an option is out of range.
  explicit Sampler(const SamplerOptions& options);
  // `history`: the tokens so far, prompt included. A logit that is NaN, or none at all, is an Error.
  // `constraint`: tokens that it does not allow are removed before the chain begins; Error{bad_argument} where nothing
  // is left. It is not told of the choice: who makes the token part of the text calls accept().
  int32_t pick(std::span<const float> logits, std::span<const int32_t> history, TokenConstraint* constraint = nullptr);
  const SamplerOptions& options() const { return options_; }

 private:
  struct Candidate {
    int32_t id;
    float logit;
    double weight;  // e^(logit - largest)
  };
  static bool likelier(const Candidate& a, const Candidate& b);
  void offer(int32_t id, float logit);
  void offer_range(std::span<const float> logits, size_t begin, size_t end);
  void gather(std::span<const float> logits, std::span<const int32_t> history);
  void keep_top_k();
  void weigh();
  void keep_top_p();
  void keep_min_p();
  int32_t draw();
  std::span<const float> masked(std::span<const float> logits, std::span<const uint64_t> allowed);
  uint64_t random();

  SamplerOptions options_;
  uint64_t state_;
  size_t keep_ = 0;    // the k of this pick
  bool full_ = false;  // k candidates are known; others must exceed the threshold
  float threshold_ = 0, largest_ = 0;
  double total_ = 0;  // of all weights after top-k
  std::vector<Candidate> candidates_;
  std::vector<int32_t> recent_;
  std::vector<float> masked_;
};

}  // namespace loam
