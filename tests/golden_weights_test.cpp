// The golden data itself: weights against values that the Python twin wrote, blocks against their shapes.
#include <doctest/doctest.h>

#include "tests/golden_demo.h"
#include "tests/golden_gguf.h"

namespace {
using namespace loam;

TEST_CASE("golden weights equal the Python generator's") {
  for (const auto& name : golden::model_names()) {
    CAPTURE(name);
    const auto m = golden::load_model(name);
    const auto json = nlohmann::json::parse(golden::read_text(golden::data_dir() / "models" / name / "golden.json"));
    CHECK(golden::weights(m.seed, "embed", 4) == json["first"].get<std::vector<float>>());
    CHECK(m.logits.size() == m.rows.size() * size_t(m.vocab));
    const golden::Stream tokens(m.seed, "tokens");
    for (size_t i = 0; i < m.tokens.size(); ++i) CHECK(m.tokens[i] == int32_t(tokens[i] % uint64_t(m.vocab)));
  }
}

TEST_CASE("golden gains lie around one, other weights around zero") {
  for (const float x : golden::weights(7, "output_norm", 1000)) CHECK((x >= 0.75f && x < 1.25f));
  double sum = 0;
  for (const float x : golden::weights(7, "layers.0.attn.q", 10000)) sum += x;
  CHECK(sum / 10000 == doctest::Approx(0).epsilon(0.01));
  CHECK(golden::weights(7, "a", 4) != golden::weights(8, "a", 4));
  CHECK(golden::weights(7, "a", 4) != golden::weights(7, "b", 4));
}

TEST_CASE("golden blocks: every type's bytes and values are as long as its shape says") {
  for (const auto& b : golden::load_golden_blocks()) {
    CAPTURE(b.name);
    const auto& type = golden::ggml_type(b.name);
    CHECK(b.id == type.id);
    CHECK(b.raw.size() == size_t(b.n * b.k / type.elements * type.bytes));
    if (b.name == "Q8_0") {  // one type by hand: d * level
      for (size_t i = 32; i < 64; ++i) CHECK(b.values[i] == b.values[32] / int8_t(b.raw[36]) * int8_t(b.raw[4 + i]));
    }
  }
}

TEST_CASE("the synthetic model is a function of the seed") {
  const std::string one = golden::synthetic_llama("Q4_K", 1).bytes();
  CHECK(one == golden::synthetic_llama("Q4_K", 1).bytes());
  CHECK(one != golden::synthetic_llama("Q4_K", 2).bytes());
  CHECK(one.starts_with("GGUF"));
}

TEST_CASE("golden demo logits are consistent: the best ids are the best, KLD of a row to itself is 0") {
  for (const char* name : {"smollm2", "gemma", "qwen"}) {
    CAPTURE(name);
    const auto d = golden::load_demo(name);
    REQUIRE(d.values.size() == d.rows.size() * 576);
    for (size_t r = 0; r < d.rows.size(); ++r) {
      const std::span<const float> row(d.values.data() + r * 576, 576);
      for (size_t i = 64; i < 576; ++i) CHECK(row[i] <= row[0]);
      CHECK(d.logsumexp[r] >= row[0]);
      CHECK(golden::kl_divergence(row, row) == doctest::Approx(0));
    }
  }
  const float p[] = {0.0f, 0.0f}, q[] = {0.0f, std::log(3.0f)};  // halves against a quarter and three quarters
  CHECK(golden::kl_divergence(p, q) == doctest::Approx(0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3)));
}

}  // namespace
