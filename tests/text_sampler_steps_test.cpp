// Every sampler against its plain definition, alone and in chains of random order.
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>

#include "core/error.h"
#include "core/text/constraint.h"
#include "core/text/sampler.h"
#include "core/text/samplers/step.h"
#include "tests/sampler_definitions.h"

namespace {
using namespace loam;
using tests::Definition;

struct Seeded {
  uint32_t seed = std::random_device{}();
  std::mt19937 rng{seed};
};

// Random ones with ties, all alike, impossible ones, a single possible one, one token, wide ranges, bell curves.
std::vector<float> some_logits(std::mt19937& rng, size_t most) {
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

float real(std::mt19937& rng, float least, float most) {
  return least + (most - least) * float(rng() % 10000) / 10000.f;
}

SamplerOptions some_options(std::mt19937& rng) {
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

std::vector<int32_t> some_history(std::mt19937& rng, uint32_t vocab) {
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
const Step kSteps[] = {{"logit_bias", make_logit_bias, LOAM_DEFINE{(void)history, (void)random, d.bias(o);
}  // namespace
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

// The candidates are those of the definition, in its order, as likely.
void check_same(Candidates& c, const Definition& d) {
  const auto items = c.all();
  REQUIRE(items.size() == d.tokens.size());
  const double total = c.weigh();
  const std::vector<double> p = d.probabilities();
  for (size_t i = 0; i < items.size(); ++i) {
    REQUIRE(items[i].id == d.tokens[i].id);
    REQUIRE(items[i].weight / total == doctest::Approx(p[i]).epsilon(1e-9));
  }
}

bool possible(const Definition& d) { return !d.tokens.empty(); }

TEST_CASE("samplers: exponentials, one at a time and many") {
  Seeded s;
  CAPTURE(s.seed);
  std::vector<double> x{0, -0.0, -1, -700, -700.1, -1e9, -INFINITY, 13, 1e-300, -708};
  for (int i = 0; i < 10000; ++i) x.push_back(double(real(s.rng, -40, 1)) * (i % 9 == 0 ? 20 : 1));
  std::vector<double> many = x;
  exp_f64(many);
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(many[i] == exp_f64(x[i]));
    const double want = x[i] < -700 ? 0 : std::exp(x[i]);
    CHECK(std::abs(many[i] - want) <= 4e-16 * want);
  }
}

TEST_CASE("samplers: each step is its definition") {
  Seeded s;
  CAPTURE(s.seed);
  int changed = 0;
  for (const Step& step : kSteps) {
    CAPTURE(step.name);
    for (int round = 0; round < 150; ++round) {
      const auto logits = some_logits(s.rng, round % 10 ? 300 : 3000);
      const SamplerOptions o = some_options(s.rng);
      const auto history = some_history(s.rng, uint32_t(logits.size()));
      Random a(o.seed), b(o.seed);
      Definition d(logits);
      step.define(d, o, history, b);
      if (!possible(d)) continue;
      Candidates c;
      c.begin(logits);
      StepContext context{history, a};
      const auto made = step.make(o);
      if (made) made->apply(c, context);
      changed += made != nullptr;
      check_same(c, d);
      CHECK(a.next() == b.next());  // the same number of random numbers was used
    }
  }
  CHECK(changed > 800);
}

TEST_CASE("samplers: chains in any order are their definitions, one after the other") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 1500; ++round) {
    const auto logits = some_logits(s.rng, 400);
    const SamplerOptions o = some_options(s.rng);
    const auto history = some_history(s.rng, uint32_t(logits.size()));
    std::vector<const Step*> order;
    for (const Step& step : kSteps) order.push_back(&step);
    std::shuffle(order.begin(), order.end(), s.rng);
    order.resize(1 + s.rng() % order.size());
    Random a(o.seed), b(o.seed);
    Definition d(logits);
    Candidates c;
    c.begin(logits);
    StepContext context{history, a};
    std::string names;
    for (const Step* step : order) {
      names += step->name + ";";
      CAPTURE(names);
      step->define(d, o, history, b);
      if (!possible(d)) break;
      if (const auto made = step->make(o)) made->apply(c, context);
      if (s.rng() % 3 == 0) check_same(c, d);  // asking for the list must not change what comes
    }
    CAPTURE(names);
    if (!possible(d)) continue;
    check_same(c, d);
    const int32_t want = d.draw(b);
    c.draw(a);
    CHECK(c.choice().id == want);
  }
}

TEST_CASE("samplers: the order of --samplers is the order of the chain") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 600; ++round) {
    const auto logits = some_logits(s.rng, 400);
    SamplerOptions o = some_options(s.rng);
    std::vector<const Step*> order;
    for (const Step& step : kSteps) {
      if (step.name != "logit_bias") order.push_back(&step);
    }
    if (s.rng() % 3) {
      std::shuffle(order.begin(), order.end(), s.rng);
      order.resize(1 + s.rng() % order.size());
      for (const Step* step : order) o.samplers += (o.samplers.empty() ? "" : ";") + step->name;
    }
    CAPTURE(o.samplers);
    Sampler sampler(o);
    Random random(o.seed);
    std::vector<int32_t> history;
    for (int i = 0; i < 10; ++i) {
      Definition d(logits);
      d.bias(o);
      for (const Step* step : order) {
        if (possible(d)) step->define(d, o, history, random);
      }
      if (!possible(d)) break;
      const bool greedy = o.temperature == 0 && o.dynatemp_range == 0 && d.tokens.size() == 1;
      const int32_t got = sampler.pick(logits, history);
      if (greedy) {
        CHECK(got == d.tokens[0].id);
        break;  // whether that used a random number is not defined
      }
      CHECK(got == d.draw(random));
      history.push_back(got);
    }
  }
}

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

struct Mask : TokenConstraint {
  std::vector<uint64_t> words;
  int masks = 0;
  std::span<const uint64_t> allowed() override { return ++masks, words; }
  bool allows(int32_t t) override { return words[size_t(t) / 64] >> (t % 64) & 1; }
  void accept(int32_t) override {}
};

TEST_CASE("samplers: a constraint is a bias of -inf on all other tokens, for every chain") {
  Seeded s;
  CAPTURE(s.seed);
  int without_mask = 0;
  for (int round = 0; round < 600; ++round) {
    const auto logits = some_logits(s.rng, 400);
    SamplerOptions o = some_options(s.rng);
    o.mirostat = s.rng() % 4 ? 0 : int(1 + s.rng() % 2);
    const auto history = some_history(s.rng, uint32_t(logits.size()));
    Mask mask;
    mask.words.resize((logits.size() + 63) / 64);
    const uint32_t one_in = 1 + s.rng() % 20;
    const bool inverted = s.rng() % 2;
    SamplerOptions biased = o;
    for (size_t i = 0; i < logits.size(); ++i) {
      if ((s.rng() % one_in == 0) != inverted)
        mask.words[i / 64] |= uint64_t(1) << (i % 64);
      else
        biased.logit_bias.push_back({int32_t(i), -INFINITY});
    }
    if (s.rng() % 4 == 0 && logits.size() % 64)
      mask.words.back() |= ~uint64_t(0) << (logits.size() % 64);  // beyond the end: no matter
    if (logits.size() % 64 == 0) mask.words.push_back(0);
    Sampler a(o), b(biased);
    for (int i = 0; i < 5; ++i) {
      std::string failed[2];
      int32_t got[2] = {-1, -1};
      for (const bool constrained : {false, true}) {
        try {
          got[constrained] = constrained ? a.pick(logits, history, &mask) : b.pick(logits, history);
        } catch (const Error& e) {
          failed[constrained] = e.what();
        }
      }
      CHECK(got[0] == got[1]);
      CHECK(failed[0] == failed[1]);
      if (!failed[0].empty()) break;
    }
    without_mask += mask.masks == 0;
  }
  CHECK(without_mask > 20);  // asking for few tokens was enough
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

TEST_CASE("samplers: what a greedy chain says does not depend on its filters") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 200; ++round) {
    const auto logits = some_logits(s.rng, 300);
    SamplerOptions o = some_options(s.rng);
    o.temperature = 0, o.dynatemp_range = 0, o.typical_p = 1, o.xtc_probability = 0;
    const auto history = some_history(s.rng, uint32_t(logits.size()));
    Definition d(logits);
    d.bias(o);
    d.penalties(o, history);
    d.dry(o, history);
    if (possible(d)) CHECK(Sampler(o).pick(logits, history) == d.best().id);
  }
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
