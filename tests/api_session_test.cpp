// The C API: sessions, sequences, batches, samplers, threads.
#include <set>
#include <thread>
#include <utility>

#include "tests/api_support.h"

using namespace api_test;

namespace {

loam_session_options options(const char* backend = nullptr, int64_t context = 0) {
  loam_session_options o = LOAM_SESSION_OPTIONS_INIT;
  o.backend = backend;
  o.context = context;
  o.threads = 1;
  return o;
}

std::vector<float> logits_after(const SessionHandle& s, const std::vector<int32_t>& tokens) {
  const int32_t q = s.sequence();
  const std::vector<loam_row> rows = rows_of(tokens, q);
  REQUIRE(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_OK);
  return s.logits();
}

// `count` tokens drawn after a prompt.
std::vector<int32_t> generate(const SessionHandle& s, const std::vector<int32_t>& prompt, int count) {
  loam_sampler_options hot = LOAM_SAMPLER_OPTIONS_INIT;
  hot.temperature = 10, hot.top_k = 0, hot.top_p = 1, hot.min_p = 0, hot.seed = 5;
  loam_sampler* sampler = nullptr;
  REQUIRE(loam_sampler_create(&hot, &sampler) == LOAM_OK);
  const int32_t q = s.sequence();
  std::vector<loam_row> rows = rows_of(prompt, q);
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) {
    REQUIRE(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_OK);
    const std::vector<float> logits = s.logits();
    tokens.push_back(-1);
    REQUIRE(loam_sampler_sample(sampler, logits.data(), logits.size(), &tokens.back()) == LOAM_OK);
    rows = rows_of({tokens.back()}, q);
  }
  loam_sampler_free(sampler);
  return tokens;
}

}  // namespace

TEST_CASE("batches: mixed sequences, forks, cuts; the same logits as alone") {
  ModelFile f;
  const std::vector<int32_t> a = some_tokens(70), b = some_tokens(9, 4);
  const SessionHandle alone(f.model, options("reference"));
  const std::vector<float> want_a = logits_after(alone, a), want_b = logits_after(alone, b);
  CHECK(want_a.size() == 307);
  CHECK(want_a != want_b);

  const SessionHandle s(f.model, options("cpu", 300));  // another backend, the same bits
  const int32_t qa = s.sequence(), qb = s.sequence();
  int64_t free_before = 0, free_after = 0;
  REQUIRE(loam_session_free_positions(s.session, &free_before) == LOAM_OK);
  CHECK(free_before == 320);
  std::vector<loam_row> rows = rows_of(b, qb);
  const std::vector<loam_row> more = rows_of(a, qa);
  rows.insert(rows.begin() + 3, more.begin(), more.end());
  REQUIRE(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_OK);
  CHECK(s.logits(0) == want_a);
  CHECK(s.logits(1) == want_b);
  const float* none = &want_a[0];
  CHECK(loam_session_logits(s.session, 2, &none, nullptr) == LOAM_BAD_ARGUMENT);
  CHECK(none == nullptr);
  REQUIRE(loam_session_free_positions(s.session, &free_after) == LOAM_OK);
  CHECK(free_after == free_before - 3 * 64);

  int32_t fork = -1;
  REQUIRE(loam_sequence_fork(s.session, qa, 69, &fork) == LOAM_OK);
  REQUIRE(loam_sequence_truncate(s.session, qa, 69) == LOAM_OK);
  CHECK(s.length(fork) == 69);
  for (const int32_t q : {fork, qa}) {
    const loam_row last = {a.back(), q, 1, 0, nullptr};
    REQUIRE(loam_session_decode(s.session, &last, 1) == LOAM_OK);
    CHECK(s.logits() == want_a);
  }
  REQUIRE(loam_sequence_remove(s.session, qa) == LOAM_OK);
  int64_t n;
  CHECK(loam_sequence_length(s.session, qa, &n) == LOAM_BAD_ARGUMENT);
  CHECK(s.sequence() == qa);
  CHECK(loam_session_decode(s.session, nullptr, 0) == LOAM_OK);
}

TEST_CASE("options of a session change what they should") {
  ModelFile f;
  const std::vector<int32_t> tokens = some_tokens(20);
  loam_session_options o = options();
  const std::vector<float> usual = logits_after(SessionHandle(f.model, o), tokens);
  o.kv_type = LOAM_KV_F32;
  const std::vector<float> kv = logits_after(SessionHandle(f.model, o), tokens);
  o.activations = LOAM_ACTIVATIONS_F32;
  const std::vector<float> floats = logits_after(SessionHandle(f.model, o), tokens);
  CHECK(usual != kv);
  CHECK(kv != floats);
  o = options();
  o.threads = 2;
  CHECK(logits_after(SessionHandle(f.model, o), tokens) == usual);

  loam_session* s = nullptr;
  const auto refused = [&](loam_session_options wrong, const char* part) {
    CHECK(loam_session_create(f.model, &wrong, &s) == LOAM_BAD_ARGUMENT);
    CHECK(s == nullptr);
    CHECK(says(part));
  };
  refused(options("gpu"), "gpu");
  refused(options("cpu,"), "no backend ''");
  refused(options(nullptr, -1), "context of -1");
  o = options(), o.threads = -1, refused(o, "-1 threads");
  o = options(), o.kv_type = 3, refused(o, "kv_type 3");
  o = options(), o.activations = 9, refused(o, "activations 9");
  o = options(), o.size = 8, refused(o, "size is 8");
}

TEST_CASE("a batch that fails leaves everything as it was") {
  ModelFile f;
  const SessionHandle s(f.model, options(nullptr, 128));
  const int32_t q = s.sequence();
  const auto decode = [&](const std::vector<loam_row>& rows) {
    return loam_session_decode(s.session, rows.data(), rows.size());
  };
  REQUIRE(decode(rows_of(some_tokens(100), q)) == LOAM_OK);
  CHECK(decode(rows_of(some_tokens(29), q)) == LOAM_CONTEXT_FULL);
  CHECK(s.length(q) == 100);
  CHECK(decode({{307, q, 1, 0, nullptr}}) == LOAM_BAD_ARGUMENT);
  CHECK(decode({{-1, q, 1, 0, nullptr}}) == LOAM_BAD_ARGUMENT);
  CHECK(decode({{1, q, 1, 5, nullptr}}) == LOAM_BAD_ARGUMENT);
  CHECK(decode({{1, q, 1, 0, nullptr}, {1, q + 1, 1, 0, nullptr}}) == LOAM_BAD_ARGUMENT);
  CHECK(says("sequence 1 does not exist"));
  const std::vector<float> values(64, 0.25f);
  CHECK(decode({{1, q, 1, 0, values.data()}}) == LOAM_BAD_ARGUMENT);
  CHECK(loam_sequence_truncate(s.session, q, 101) == LOAM_BAD_ARGUMENT);
  CHECK(loam_session_decode(s.session, nullptr, 3) == LOAM_BAD_ARGUMENT);
  CHECK(s.length(q) == 100);
  CHECK(decode({{-1, q, 1, 0, values.data()}}) == LOAM_OK);  // a given embedding
  CHECK(decode(rows_of(some_tokens(27), q)) == LOAM_OK);
}

TEST_CASE("long batches tell how far they are and can be cancelled") {
  ModelFile f;
  struct Seen {
    int calls = 0, limit = 0;
    uint64_t total = 0;
  } seen;
  loam_session_options o = options();
  o.progress = [](void* user, uint64_t done, uint64_t total) {
    Seen& s = *static_cast<Seen*>(user);
    CHECK(done < total);
    s.total = total;
    return int(++s.calls == s.limit);
  };
  o.progress_user = &seen;
  const SessionHandle s(f.model, o), silent(f.model, options());
  const int32_t q = s.sequence();
  std::vector<loam_row> rows = rows_of(some_tokens(400), q);
  rows[130].output = 1;
  seen.limit = 3;
  CHECK(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_CANCELLED);
  CHECK(s.length(q) == 0);
  const float* none = nullptr;
  CHECK(loam_session_logits(s.session, 0, &none, nullptr) == LOAM_BAD_ARGUMENT);
  seen = {};
  REQUIRE(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_OK);
  CHECK(seen.calls == 4);
  CHECK(seen.total == 400);
  CHECK(s.logits(1) == logits_after(silent, some_tokens(400)));
  CHECK(s.logits(0) == logits_after(SessionHandle(f.model, options()), {some_tokens(131)}));
  seen = {};
  rows = rows_of(some_tokens(200), q);
  CHECK(loam_session_decode(s.session, rows.data(), rows.size()) == LOAM_CONTEXT_FULL);
  CHECK(seen.calls == 0);  // found before any work
}

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

TEST_CASE("two sessions of one model in two threads; the model's handle may go first") {
  ModelFile f;
  const std::vector<int32_t> want = generate(SessionHandle(f.model, options()), some_tokens(30), 40);
  CHECK(std::set<int32_t>(want.begin(), want.end()).size() > 5);
  std::vector<int32_t> got[2];
  const SessionHandle a(f.model, options()), b(f.model, options());
  loam_model_free(std::exchange(f.model, nullptr));
  std::thread first([&] { got[0] = generate(a, some_tokens(30), 40); });
  std::thread second([&] { got[1] = generate(b, some_tokens(30), 40); });
  first.join(), second.join();
  CHECK(got[0] == want);
  CHECK(got[1] == want);
}
