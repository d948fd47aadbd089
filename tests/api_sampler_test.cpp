// The C API: samplers, their options, grammars and schemas.
#include "tests/api_support.h"

using namespace api_test;

TEST_CASE("samplers: seeds, penalties, ranges") {
  const std::vector<float> logits = {1, 3, 2.9f, -1, 2.8f};
  const auto draw = [&](uint64_t seed, bool accept) {
    loam_sampler_options o = LOAM_SAMPLER_OPTIONS_INIT;
    o.temperature = 1, o.seed = seed;
    if (accept) o.temperature = 0, o.repeat_penalty = 2, o.repeat_last = 2;
    loam_sampler* s = nullptr;
    REQUIRE(loam_sampler_create(&o, &s) == LOAM_OK);
    std::vector<int32_t> drawn;
    for (int i = 0; i < 200; ++i) {
      drawn.push_back(-1);
      REQUIRE(loam_sampler_sample(s, logits.data(), logits.size(), &drawn.back()) == LOAM_OK);
      if (accept) REQUIRE(loam_sampler_accept(s, drawn.back()) == LOAM_OK);
    }
    loam_sampler_free(s);
    return drawn;
  };
  loam_sampler* greedy = nullptr;
  int32_t likeliest = -1;
  REQUIRE(loam_sampler_create(nullptr, &greedy) == LOAM_OK);
  CHECK(loam_sampler_sample(greedy, logits.data(), logits.size(), &likeliest) == LOAM_OK);
  CHECK(likeliest == 1);
  loam_sampler_free(greedy);
  CHECK(draw(1, false) == draw(1, false));
  CHECK(draw(1, false) != draw(2, false));
  const std::vector<int32_t> seen = draw(0, true);
  CHECK(std::vector<int32_t>(seen.begin(), seen.begin() + 4) == std::vector<int32_t>{1, 2, 4, 1});
  for (size_t i = 3; i < seen.size(); ++i) CHECK(seen[i] == seen[i - 3]);  // also after the history was shortened

  const auto refused = [](auto change) {
    loam_sampler_options o = LOAM_SAMPLER_OPTIONS_INIT;
    change(o);
    loam_sampler* s = nullptr;
    CHECK(loam_sampler_create(&o, &s) == LOAM_BAD_ARGUMENT);
    CHECK(s == nullptr);
  };
  refused([](auto& o) { o.temperature = -1; });
  refused([](auto& o) { o.top_k = -1; });
  refused([](auto& o) { o.top_p = 1.5f; });
  refused([](auto& o) { o.min_p = -0.5f; });
  refused([](auto& o) { o.repeat_penalty = 0; });
  refused([](auto& o) { o.repeat_last = -2; });
  refused([](auto& o) { o.size = 1; });
}

TEST_CASE("samplers: answers that fit a grammar or a schema") {
  ModelFile f;
  loam_model_info info = LOAM_MODEL_INFO_INIT;
  REQUIRE(loam_model_get_info(f.model, &info) == LOAM_OK);
  loam_sampler* s = nullptr;
  REQUIRE(loam_sampler_create(nullptr, &s) == LOAM_OK);
  std::vector<float> logits(size_t(info.vocab));
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = float(i * 7919 % 997);
  const auto answer = [&] {
    std::string text;
    for (int i = 0; i < 50; ++i) {
      int32_t token = -1, end = 0;
      REQUIRE(loam_sampler_sample(s, logits.data(), logits.size(), &token) == LOAM_OK);
      REQUIRE(loam_sampler_accept(s, token) == LOAM_OK);
      REQUIRE(loam_token_is_end(f.model, token, &end) == LOAM_OK);
      if (end) break;
      char piece[64];
      size_t size = 0;
      REQUIRE(loam_token_piece(f.model, token, piece, sizeof piece, &size) == LOAM_OK);
      text.append(piece, size);
    }
    return text;
  };
  const std::string grammar = "root ::= (\"ab\" | \"c\"){2} \"!\"", schema = R"({"enum": [{"a": [true, null]}]})";
  REQUIRE(loam_sampler_set_grammar(s, f.model, grammar.data(), grammar.size()) == LOAM_OK);
  const std::string text = answer();
  CAPTURE(text);
  CHECK((text == "abab!" || text == "abc!" || text == "cab!" || text == "cc!"));
  REQUIRE(loam_sampler_set_json_schema(s, f.model, schema.data(), schema.size()) == LOAM_OK);
  CHECK(loam_sampler_accept(s, 5) == LOAM_BAD_ARGUMENT);
  std::string json = answer();
  std::erase_if(json, [](char c) { return c == ' ' || c == '\n'; });
  CHECK(json == R"({"a":[true,null]})");
  CHECK(loam_sampler_set_grammar(s, f.model, "root ::= (", 10) == LOAM_BAD_ARGUMENT);
  CHECK(says("line 1, column 11"));
  CHECK(loam_sampler_set_json_schema(s, f.model, "{\"not\": {}}", 11) == LOAM_UNSUPPORTED);
  CHECK(says("#/not"));
  REQUIRE(loam_sampler_set_grammar(s, f.model, nullptr, 0) == LOAM_OK);
  CHECK(loam_sampler_accept(s, 5) == LOAM_OK);
  loam_sampler_free(s);
}

TEST_CASE("samplers: the options that came later, and programs that do not know them") {
  const std::vector<float> logits = {1, 3, 2.9f, -1, 2.8f};
  const auto draw = [&](auto change, int count = 4) {
    loam_sampler_options o = LOAM_SAMPLER_OPTIONS_INIT;
    change(o);
    loam_sampler* s = nullptr;
    REQUIRE(loam_sampler_create(&o, &s) == LOAM_OK);
    std::vector<int32_t> drawn(size_t(count), -1);
    for (int32_t& token : drawn) {
      REQUIRE(loam_sampler_sample(s, logits.data(), logits.size(), &token) == LOAM_OK);
      REQUIRE(loam_sampler_accept(s, token) == LOAM_OK);
    }
    loam_sampler_free(s);
    return drawn;
  };
  using Tokens = std::vector<int32_t>;
  const loam_logit_bias bias[] = {{1, -INFINITY}, {4, 1}};
  CHECK(draw([](auto&) {}) == Tokens{1, 1, 1, 1});
  CHECK(draw([&](auto& o) { o.logit_bias = bias, o.logit_bias_count = 2; }) == Tokens{4, 4, 4, 4});
  CHECK(draw([](auto& o) { o.presence_penalty = 0.15f; }) == Tokens{1, 2, 1, 1});
  CHECK(draw([](auto& o) { o.frequency_penalty = 0.15f; }) == Tokens{1, 2, 1, 4});
  CHECK(draw([](auto& o) { o.dry_multiplier = 5; }, 6) == Tokens{1, 1, 1, 2, 1, 1});
  CHECK(draw([](auto& o) { o.samplers = "xtc;temperature", o.xtc_probability = 1; }) == Tokens{4, 4, 4, 4});
  const auto mirostat = [](auto& o) { o.temperature = 1, o.mirostat = 2, o.seed = 3; };
  CHECK(draw(mirostat, 50) == draw(mirostat, 50));
  const auto old = [](auto& o) {  // bytes behind its size are not read
    o.size = 40, o.presence_penalty = 99, o.logit_bias_count = 7;
  };
  CHECK(draw(old) == Tokens{1, 1, 1, 1});

  ModelFile f;
  const char* const breakers[] = {"a", "b"};
  const auto with_breakers = [&](auto& o) {
    o.dry_multiplier = 1, o.dry_model = f.model, o.dry_breakers = breakers, o.dry_breaker_count = 2;
  };
  draw(with_breakers);
  const auto refused = [&](auto change) {
    loam_sampler_options o = LOAM_SAMPLER_OPTIONS_INIT;
    with_breakers(o);
    change(o);
    loam_sampler* s = nullptr;
    CHECK(loam_sampler_create(&o, &s) == LOAM_BAD_ARGUMENT);
    CHECK(s == nullptr);
  };
  const char* const empty[] = {""};
  const char* const null[] = {nullptr};
  refused([&](auto& o) { o.dry_breakers = empty, o.dry_breaker_count = 1; });
  refused([&](auto& o) { o.dry_breakers = null, o.dry_breaker_count = 1; });
  refused([](auto& o) { o.logit_bias_count = 1; });
  refused([](auto& o) { o.samplers = "top_q"; });
  refused([](auto& o) { o.typical_p = -1; });
  refused([](auto& o) { o.dry_last = -1; });
  refused([](auto& o) { o.size = 39; });
}
