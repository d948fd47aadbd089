// The sampling chain against plain definitions.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "core/error.h"
#include "core/text/constraint.h"
#include "core/text/sampler.h"

namespace {
using namespace loam;

SamplerOptions plain(float temperature) {
  SamplerOptions o;
  o.temperature = temperature, o.top_k = 0, o.top_p = 1, o.min_p = 0;
  return o;
}

std::vector<float> random_logits(std::mt19937& rng, size_t count) {
  std::vector<float> logits(count);
  for (float& l : logits) l = float(int(rng() % 2000)) / 100.f - 10.f;  // with ties
  return logits;
}

// The definition of the chain: the tokens that remain, with their probabilities.
std::map<int32_t, double> define(std::vector<float> logits, const std::vector<int32_t>& history,
                                 const SamplerOptions& o) {
  const size_t last = o.repeat_last_n < 0 ? history.size() : std::min(history.size(), size_t(o.repeat_last_n));
  const std::vector<int32_t> recent(history.end() - ptrdiff_t(last), history.end());
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::find(recent.begin(), recent.end(), int32_t(i)) == recent.end()) continue;
    logits[i] = logits[i] > 0 ? logits[i] / o.repeat_penalty : logits[i] * o.repeat_penalty;
  }
  std::vector<int32_t> ids(logits.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(i);
  std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return logits[size_t(a)] > logits[size_t(b)]; });
  if (o.top_k) ids.resize(std::min(ids.size(), size_t(o.top_k)));
  const double largest = logits[size_t(ids[0])];
  const auto weight = [&](int32_t id, double t) { return std::exp((logits[size_t(id)] - largest) / t); };
  double total = 0, sum = 0;
  for (const int32_t id : ids) total += weight(id, 1);
  size_t keep = 0;
  while (keep < ids.size() && (keep == 0 || sum < double(o.top_p) * total)) sum += weight(ids[keep++], 1);
  if (o.top_p < 1) ids.resize(keep);
  std::map<int32_t, double> out;
  for (const int32_t id : ids) {
    if (weight(id, 1) >= double(o.min_p) || id == ids[0]) out[id] = weight(id, double(o.temperature));
  }
  double all = 0;
  for (const auto& [id, w] : out) all += w;
  for (auto& [id, w] : out) w /= all;
  return out;
}

TEST_CASE("sampler: greedy takes the largest, of equals the lowest id") {
  Sampler s(plain(0));
  CHECK(s.pick(std::vector<float>{1, 3, 2}, {}) == 1);
  CHECK(s.pick(std::vector<float>{1, 3, 3, 2}, {}) == 1);
  CHECK(s.pick(std::vector<float>{-5}, {}) == 0);
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(s.pick(std::vector<float>{-infinity, -2, -infinity}, {}) == 1);
  std::mt19937 rng(5);
  for (int i = 0; i < 200; ++i) {
    const auto logits = random_logits(rng, 1 + rng() % 3000);
    CHECK(s.pick(logits, {}) == std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
}

TEST_CASE("sampler: the same seed gives the same tokens, for ever") {
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = float((i * 7919) % 1000) / 100.f;
  SamplerOptions o;
  o.seed = 42;
  Sampler s(o);
  std::vector<int32_t> got;
  for (int i = 0; i < 12; ++i) got.push_back(s.pick(logits, got));
  CHECK(got == std::vector<int32_t>{667, 605, 889, 852, 642, 272, 247, 309, 852, 62, 247, 457});
  o.seed = 43;
  Sampler other(o);
  std::vector<int32_t> different;
  for (int i = 0; i < 12; ++i) different.push_back(other.pick(logits, different));
  CHECK(got != different);
}

TEST_CASE("sampler: the chain keeps what its definition keeps, as often") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (int round = 0; round < 60; ++round) {
    SamplerOptions o;
    o.temperature = 0.2f + float(rng() % 20) / 10.f;
    o.top_k = rng() % 3 ? int(1 + rng() % 50) : 0;
    o.top_p = rng() % 3 ? float(rng() % 100) / 100.f : 1;
    o.min_p = rng() % 3 ? float(rng() % 50) / 100.f : 0;
    o.repeat_penalty = rng() % 2 ? 1.f : 1.5f;
    o.repeat_last_n = int(rng() % 8) - 1;
    o.seed = rng();
    const auto logits = random_logits(rng, 1 + rng() % 400);
    std::vector<int32_t> history;
    for (int i = 0; i < 10; ++i) history.push_back(int32_t(rng() % logits.size()));
    const auto expected = define(logits, history, o);
    Sampler s(o);
    std::map<int32_t, int> counts;
    constexpr int kDraws = 2000;
    for (int i = 0; i < kDraws; ++i) ++counts[s.pick(logits, history)];
    for (const auto& [id, count] : counts) REQUIRE(expected.count(id) == 1);
    for (const auto& [id, p] : expected) {
      const double sigma = std::sqrt(kDraws * p * (1 - p)) + 1;
      CHECK(std::abs(counts[id] - kDraws * p) < 6 * sigma);
    }
  }
}

TEST_CASE("sampler: the repetition penalty reaches back repeat_last_n tokens") {
  SamplerOptions o = plain(0);
  o.repeat_penalty = 2;
  o.repeat_last_n = 2;
  const std::vector<float> logits{5, 4, -1};
  CHECK(Sampler(o).pick(logits, std::vector<int32_t>{0}) == 1);
  CHECK(Sampler(o).pick(logits, std::vector<int32_t>{0, 2, 2}) == 0);
  o.repeat_last_n = -1;
  CHECK(Sampler(o).pick(logits, std::vector<int32_t>{0, 2, 2}) == 1);
  CHECK(Sampler(o).pick(std::vector<float>{-1, -1.5f}, std::vector<int32_t>{0}) == 1);
  CHECK(Sampler(o).pick(logits, std::vector<int32_t>{0, 1, 99, -7}) == 0);  // ids that do not exist are no matter
}

TEST_CASE("sampler: what is not a number is an error") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float temperature : {0.f, 1.f}) {
    Sampler s(plain(temperature));
    CHECK_THROWS_AS(s.pick(std::vector<float>{1, nan, 2}, {}), Error);
    CHECK_THROWS_AS(s.pick(std::vector<float>{}, {}), Error);
    CHECK_THROWS_AS(s.pick(std::vector<float>{-infinity, -infinity}, {}), Error);
    CHECK_THROWS_AS(s.pick(std::vector<float>{1, infinity}, {}), Error);
  }
  SamplerOptions o;
  o.temperature = nan;
  CHECK_THROWS_AS(Sampler{o}, Error);
  o = {};
  o.top_p = 1.5f;
  CHECK_THROWS_AS(Sampler{o}, Error);
  o = {};
  o.repeat_penalty = 0;
  CHECK_THROWS_AS(Sampler{o}, Error);
}

// Allows what a list says, and counts how it is asked.
struct FakeConstraint : TokenConstraint {
  std::vector<uint64_t> mask;
  int masks = 0, asked = 0;
  FakeConstraint(size_t vocab, const std::vector<int32_t>& ids) : mask((vocab + 63) / 64) {
    for (const int32_t id : ids) mask[size_t(id) / 64] |= uint64_t(1) << (id % 64);
  }
  std::span<const uint64_t> allowed() override { return ++masks, mask; }
  bool allows(int32_t t) override { return ++asked, mask[size_t(t) / 64] >> (t % 64) & 1; }
  void accept(int32_t) override {}
};

TEST_CASE("sampler: a constraint removes tokens before the chain begins") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (int round = 0; round < 100; ++round) {
    SamplerOptions o;
    o.temperature = rng() % 3 ? 0.5f + float(rng() % 10) / 10.f : 0;
    o.top_k = rng() % 3 ? int(1 + rng() % 50) : 0;
    o.top_p = rng() % 2 ? 0.9f : 1;
    o.min_p = rng() % 2 ? 0.1f : 0;
    o.seed = rng();
    const auto logits = random_logits(rng, 1 + rng() % 400);
    std::vector<int32_t> ids;
    const uint32_t share = 1 + rng() % 20;
    for (size_t i = 0; i < logits.size(); ++i) {
      if (rng() % share == 0) ids.push_back(int32_t(i));
    }
    FakeConstraint constraint(logits.size(), ids);
    std::vector<float> left;
    for (const int32_t id : ids) left.push_back(logits[size_t(id)]);
    Sampler a(o), b(o);
    for (int i = 0; i < 30; ++i) {
      if (ids.empty())
        CHECK_THROWS_AS(a.pick(logits, {}, &constraint), Error);
      else
        CHECK(a.pick(logits, {}, &constraint) == ids[size_t(b.pick(left, {}))]);
    }
  }
  Sampler greedy(plain(0));
  FakeConstraint asked(3, {0, 1});
  CHECK(greedy.pick(std::vector<float>{1, 3, 2}, {}, &asked) == 1);
  CHECK(asked.masks == 0);  // the likeliest is allowed: no need to know the others
  CHECK(greedy.pick(std::vector<float>{1, 3, 4}, {}, &asked) == 1);
}

}  // namespace
