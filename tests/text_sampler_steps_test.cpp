// Every sampler against its plain definition, alone and in chains of random order.
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>

#include "core/error.h"
#include "core/text/constraint.h"
#include "core/text/sampler.h"
#include "core/text/samplers/vector_passes.h"
#include "tests/sampler_random.h"

namespace {
using namespace loam;
using namespace loam::tests;

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

TEST_CASE("samplers: vectors of all widths give the same bits") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> x(kLogitBlock);
    for (float& l : x) l = s.rng() % 50 ? real(s.rng, round % 2 ? -1000.f : -20.f, 20) : -INFINITY;
    const float largest = 20, scale = real(s.rng, 0.1f, 5), below = round % 3 ? real(s.rng, -10, 10) : INFINITY;
    const double temperature = round % 4 ? double(real(s.rng, 0.1f, 3)) : 1;
    std::vector<std::vector<double>> results;
    std::vector<BlockSums> quick_sums;
    for (const VectorPasses& p : all_vector_passes()) {
      std::vector<double> weights(kLogitBlock);
      const BlockSums quick = p.weigh(x.data(), largest, scale, below),
                      exact = p.weigh_exactly(x.data(), double(largest), temperature, weights.data());
      const BlockMoments m = p.moments(x.data(), 3);
      const float kth = x[s.seed % x.size()];
      std::vector<float> with_nan(x);
      with_nan[s.seed % x.size()] = NAN;
      quick_sums.push_back(quick);
      results.push_back({exact.weight, exact.surprise, m.count, m.sum, m.squares, double(p.any_above(x.data(), kth))});
      std::vector<uint8_t> marks(kLogitBlock);
      p.mark_above(x.data(), kth, marks.data());
      for (size_t i = 0; i < kLogitBlock; ++i) CHECK((marks[i] != 0) == (x[i] > kth));
      results.back().insert(results.back().end(), weights.begin(), weights.end());
      CHECK(p.any_above(with_nan.data(), 30));
      CHECK(!p.any_above(x.data(), 20));
      CHECK(results.back() == results.front());
    }
    double weight = 0, surprise = 0;  // what the quick sums mean
    for (const float l : x) {
      if (l < below) weight += std::exp2((double(l) - 20) * double(scale));
      if (l < below && l > -INFINITY)
        surprise += (20 - double(l)) * double(scale) * std::log(2.0) * std::exp2((double(l) - 20) * double(scale));
    }
    const double error = kWeightError * weight + kSurpriseError * surprise + 1e-30;
    for (const BlockSums& quick : quick_sums) {
      CHECK(std::abs(quick.weight - weight) <= error);
      CHECK(std::abs(quick.surprise - surprise) <= kManyTimes * error);
    }
  }
}

TEST_CASE("samplers: each step is its definition on a large vocabulary") {
  Seeded s;
  CAPTURE(s.seed);
  for (int round = 0; round < 60; ++round) {
    std::normal_distribution<float> bell(real(s.rng, -20, 20), real(s.rng, 0.5f, 6));
    std::vector<float> logits(20000 + s.rng() % 1000);
    for (float& l : logits) l = s.rng() % 100 ? bell(s.rng) : -INFINITY;
    SamplerOptions o = some_options(s.rng);
    o.top_p = std::min(o.top_p, 0.999f);
    const auto history = some_history(s.rng, uint32_t(logits.size()));
    for (const Step& step : kSteps) {
      CAPTURE(step.name);
      Random a(o.seed), b(o.seed);
      Definition d(logits);
      Candidates c;
      c.begin(logits);
      StepContext context{history, a};
      if (round % 2) {  // a chain: the temperature comes first
        d.temperature = 0.7;
        c.scale(0.7);
      }
      step.define(d, o, history, b);
      if (const auto made = step.make(o)) made->apply(c, context);
      const int32_t want = d.draw(b);
      Candidates copy = c;
      copy.draw(a);
      CHECK(copy.choice().id == want);
      check_same(c, d);
    }
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

}  // namespace
