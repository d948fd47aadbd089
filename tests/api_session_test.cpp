// The C API: sessions, sequences, batches, threads.
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
