// What samplers do over many tokens, their names, and what they refuse.
#include <doctest/doctest.h>

#include <limits>

#include "core/error.h"
#include "core/text/sampler.h"
#include "tests/sampler_random.h"

namespace {
using namespace loam;
using namespace loam::tests;

TEST_CASE("samplers: mirostat 1 and 2 are their definitions over many tokens") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 120; ++round) {
    SamplerOptions o = some_options(s.rng);
    o.mirostat = 1 + round % 2;
    o.temperature = real(s.rng, 0.3f, 2), o.dynatemp_range = 0;
    o.logit_bias.clear();
    o.mirostat_tau = real(s.rng, 0.1f, 6);
    o.mirostat_eta = real(s.rng, 0.01f, 0.5f);
    Sampler sampler(o);
    Random random(o.seed);
    double mu = 2 * double(o.mirostat_tau);
    const size_t vocab = 2 + s.rng() % 500;
    std::vector<int32_t> history;
    for (int i = 0; i < 30; ++i) {
      std::vector<float> logits(vocab);
      std::normal_distribution<float> bell(0, real(s.rng, 0.5f, 4));
      for (float& l : logits) l = bell(s.rng);
      Definition d(logits);
      d.penalties(o, history);
      d.dry(o, history);
      d.heat(o);
      const int32_t want = d.mirostat(o, mu, random);
      REQUIRE(sampler.pick(logits, history) == want);
      history.push_back(want);
    }
  }
}

// One number that stands for 300 tokens of a chain, computed from integers alone.
uint32_t fingerprint(SamplerOptions o) {
  o.seed = 11;
  Sampler sampler(o);
  std::vector<int32_t> history;
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < 300; ++i) {
    std::vector<float> logits(700);
    for (uint32_t j = 0; j < 700; ++j) logits[j] = float((j * 7919 + i * 104729) % 1009) / 64.f;
    history.push_back(sampler.pick(logits, history));
    hash = (hash ^ uint32_t(history.back())) * 16777619u;
  }
  return hash;
}

TEST_CASE("samplers: every sampler gives the same tokens for a seed, on every machine, for ever") {
  const auto with = [](auto change) {
    SamplerOptions o;
    change(o);
    return fingerprint(o);
  };
  CHECK(with([](auto&) {}) == 3353339485u);
  CHECK(with([](auto& o) { o.top_k = 0, o.top_p = 1, o.min_p = 0, o.temperature = 0.7f; }) == 259121674u);
  CHECK(with([](auto& o) { o.top_k = 0, o.min_p = 0; }) == 507172982u);
  CHECK(with([](auto& o) { o.top_k = 0, o.top_p = 1; }) == 2986196610u);
  CHECK(with([](auto& o) { o.typical_p = 0.5f, o.top_k = 0; }) == 2951256364u);
  CHECK(with([](auto& o) { o.top_n_sigma = 0.1f; }) == 2692641431u);
  CHECK(with([](auto& o) { o.xtc_probability = 0.5f, o.xtc_threshold = 0.05f; }) == 547240708u);
  CHECK(with([](auto& o) { o.dynatemp_range = 0.5f, o.dynatemp_exponent = 1.3f; }) == 1991224921u);
  CHECK(with([](auto& o) { o.repeat_penalty = 1.1f, o.frequency_penalty = 0.2f, o.presence_penalty = 0.1f; }) ==
        521520941u);
  CHECK(with([](auto& o) { o.dry_multiplier = 0.8f, o.dry_allowed_length = 1, o.temperature = 0.3f; }) == 901308996u);
  CHECK(with([](auto& o) { o.mirostat = 1; }) == 2071974106u);
  CHECK(with([](auto& o) { o.mirostat = 2, o.mirostat_tau = 3; }) == 1321115581u);
  CHECK(with([](auto& o) { o.samplers = "min_p;adaptive_p", o.adaptive_target = 0.05f; }) == 2292717456u);
}

// The surprise of what is drawn comes near to the target.
TEST_CASE("samplers: mirostat keeps to its target") {
  for (const int version : {1, 2}) {
    SamplerOptions o;
    o.temperature = 1, o.mirostat = version, o.mirostat_tau = 3, o.seed = 5;
    Sampler sampler(o);
    std::vector<float> logits(2000);
    for (size_t i = 0; i < logits.size(); ++i) logits[i] = -1.1f * std::log(float(i + 1));
    double surprise = 0;
    const std::vector<double> p = Definition(logits).probabilities();
    constexpr int kDraws = 3000;
    for (int i = 0; i < kDraws; ++i) surprise -= std::log2(p[size_t(sampler.pick(logits, {}))]) / kDraws;
    CHECK(surprise > 2.2);
    CHECK(surprise < 4.6);
  }
  for (const int version : {1, 2}) {  // one token, and tokens that are all alike
    SamplerOptions o;
    o.mirostat = version, o.seed = 5;
    Sampler sampler(o);
    for (int i = 0; i < 50; ++i) CHECK(sampler.pick(std::vector<float>{-3}, {}) == 0);
    for (int i = 0; i < 50; ++i) CHECK(sampler.pick(std::vector<float>(5, 1.f), {}) < 5);
  }
}

TEST_CASE("samplers: adaptive-p draws tokens whose probability is near the target") {
  std::vector<float> logits(50);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = -0.25f * float(i);
  const std::vector<double> p = Definition(logits).probabilities();
  double before = 1;
  for (const float target : {0.2f, 0.1f, 0.02f}) {
    SamplerOptions o;
    o.samplers = "min_p;adaptive_p", o.min_p = 0.001f, o.adaptive_target = target, o.seed = 7;
    Sampler sampler(o);
    double mean = 0;
    for (int i = 0; i < 2000; ++i) mean += p[size_t(sampler.pick(logits, {}))] / 2000;
    CHECK(mean < before);
    CHECK(std::abs(mean - double(target)) < 0.06);
    before = mean;
  }
  SamplerOptions off;
  off.samplers = "temperature;adaptive_p", off.temperature = 1, off.seed = 3;
  SamplerOptions without = off;
  without.samplers = "temperature";
  Sampler a(off), b(without);
  for (int i = 0; i < 50; ++i) CHECK(a.pick(logits, {}) == b.pick(logits, {}));
}

TEST_CASE("samplers: XTC removes the top choices but for the last of them") {
  SamplerOptions o;
  o.samplers = "xtc;temperature", o.xtc_probability = 1, o.xtc_threshold = 0.1f, o.temperature = 0;
  CHECK(Sampler(o).pick(std::vector<float>{3, 3.1f, 2.9f, -5}, {}) == 2);
  CHECK(Sampler(o).pick(std::vector<float>{3, -1, -2}, {}) == 0);  // only one is likely: it stays
  o.xtc_threshold = 0.6f;
  CHECK(Sampler(o).pick(std::vector<float>{3, 3.1f, 2.9f, -5}, {}) == 1);
}

TEST_CASE("samplers: names, their other spellings, and what is wrong with them") {
  const auto complaint = [](const char* names) {
    SamplerOptions o;
    o.samplers = names;
    try {
      Sampler s(o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(default_samplers() == "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature");
  CHECK(complaint("top-k;TOPP;nucleus").find("twice") != std::string::npos);
  CHECK(complaint("Top_K;typical;temp;min-p;topnsigma") == "accepted");
  CHECK(complaint("top_q").find("there is no sampler 'top_q'; known are penalties, dry,") == 0);
  CHECK(complaint("top_k;;top_p").find("there is no sampler ''") == 0);
}

TEST_CASE("samplers: options out of range are errors, also of samplers that do not run") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [](auto change) {
    SamplerOptions o;
    change(o);
    CHECK_THROWS_AS(Sampler{o}, Error);
    o.samplers = "top_k";
    CHECK_THROWS_AS(Sampler{o}, Error);
  };
  refused([](auto& o) { o.typical_p = 1.5f; });
  refused([](auto& o) { o.top_p = -0.1f; });
  refused([&](auto& o) { o.top_n_sigma = nan; });
  refused([](auto& o) { o.xtc_probability = 2; });
  refused([](auto& o) { o.xtc_threshold = -1; });
  refused([](auto& o) { o.dynatemp_range = -1; });
  refused([](auto& o) { o.dynatemp_exponent = INFINITY; });
  refused([&](auto& o) { o.frequency_penalty = nan; });
  refused([](auto& o) { o.presence_penalty = INFINITY; });
  refused([](auto& o) { o.dry_base = 0.5f; });
  refused([](auto& o) { o.dry_multiplier = -1; });
  refused([](auto& o) { o.dry_allowed_length = -1; });
  refused([](auto& o) { o.dry_penalty_last_n = -2; });
  refused([](auto& o) { o.mirostat = 3; });
  refused([](auto& o) { o.mirostat_tau = -1; });
  refused([](auto& o) { o.adaptive_decay = 1; });
  refused([](auto& o) { o.logit_bias = {{-1, 1}}; });
  refused([](auto& o) { o.logit_bias = {{1, INFINITY}}; });
  refused([&](auto& o) { o.logit_bias = {{1, nan}}; });
}

TEST_CASE("samplers: a NaN anywhere and no possible token are errors of every chain") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Seeded s;
  CAPTURE(s.seed);
  for (const char* names : {"top_k", "top_p", "min_p", "typ_p", "top_n_sigma", "xtc", "temperature", "dry"}) {
    CAPTURE(names);
    SamplerOptions o;
    o.samplers = names;
    o.typical_p = 0.5f, o.top_n_sigma = 1, o.xtc_probability = 1;
    for (const int mirostat : {0, 1, 2}) {
      o.mirostat = mirostat;
      Sampler sampler(o);
      std::vector<float> logits(1 + s.rng() % 3000, 1.f);
      logits[s.rng() % logits.size()] = nan;
      CHECK_THROWS_AS(sampler.pick(logits, {}), Error);
      CHECK_THROWS_AS(sampler.pick(std::vector<float>(40, -INFINITY), {}), Error);
      CHECK_THROWS_AS(sampler.pick(std::vector<float>{1, INFINITY}, {}), Error);
      CHECK_THROWS_AS(sampler.pick({}, {}), Error);
      CHECK(sampler.pick(std::vector<float>{-INFINITY, 4, -INFINITY}, {}) == 1);  // and it goes on after errors
    }
  }
}

}  // namespace
