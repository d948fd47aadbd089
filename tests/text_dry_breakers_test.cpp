// Texts that end a repetition, as tokens.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "core/error.h"
#include "core/text/samplers/dry_breakers.h"
#include "core/text/tokenizer_json.h"
#include "tests/golden_models.h"

namespace {
using namespace loam;
using Sequences = std::vector<std::vector<int32_t>>;

Tokenizer tiny() {
  return Tokenizer(
      tokenizer_from_json(golden::read_text(golden::data_dir() / "tiny_vocab" / "tokenizer.json"), {}, {}).spec);
}

TEST_CASE("dry breakers: every token that contains the text, and none besides") {
  const Tokenizer tokenizer = tiny();
  for (const std::string& text : default_dry_breakers()) {
    Sequences want;
    for (int32_t id = 0; size_t(id) < tokenizer.size(); ++id) {
      if (tokenizer.piece(id).find(text) != std::string::npos) want.push_back({id});
    }
    CHECK_FALSE(want.empty());
    CHECK(dry_breakers(tokenizer, {&text, 1}) == want);
  }
}

TEST_CASE("dry breakers: a longer text is found however it is written, and each sequence contains it") {
  const Tokenizer tokenizer = tiny();
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  const auto letters = [&](size_t count) {
    std::string text;
    for (; count > 0; --count) text += "the is:\n"[rng() % 8];
    return text;
  };
  for (int round = 0; round < 40; ++round) {
    const std::string text = letters(1 + rng() % 3);
    const Sequences found = dry_breakers(tokenizer, {&text, 1});
    CHECK(std::is_sorted(found.begin(), found.end()));
    for (const auto& sequence : found) {
      std::string bytes;
      for (const int32_t id : sequence) bytes += tokenizer.piece(id);
      REQUIRE(bytes.find(text) != std::string::npos);
    }
    if (text.size() > 1) continue;
    const std::vector<int32_t> ids = tokenizer.encode(letters(10) + text + letters(10), {false, false});
    CHECK(std::any_of(ids.begin(), ids.end(), [&](int32_t id) {
      return std::find(found.begin(), found.end(), std::vector<int32_t>{id}) != found.end();
    }));
  }
}

TEST_CASE("dry breakers: empty and endless texts are errors") {
  const Tokenizer tokenizer = tiny();
  const auto make = [&](std::string text) { return dry_breakers(tokenizer, {&text, 1}); };
  CHECK_THROWS_AS(make(""), Error);
  CHECK_THROWS_AS(make(std::string(41, 'a')), Error);
  CHECK_NOTHROW(make(std::string(40, 'a')));
  CHECK(dry_breakers(tokenizer, {}).empty());
}

}  // namespace
