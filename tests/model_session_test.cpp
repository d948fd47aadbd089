// Sequences, pages, batches and placement, on small random models in the reference backend (the CPU backend's own
// determinism tests are in model_cpu_test.cpp).
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "backends/reference/reference.h"
#include "core/session.h"
#include "tests/memory_model.h"

using namespace loam;

namespace {

ModelConfig small_config() {
  ModelConfig c;
  c.dim = 64, c.layers = 3, c.heads = 4, c.kv_heads = 2, c.head_dim = 16, c.ffn_dim = 96, c.vocab = 70,
  c.context = 4096;
  c.rope_base_local = 1000, c.windows = {0, 24, 0};
  return c;
}

std::shared_ptr<Model> small_model() {
  return std::make_shared<Model>(
      tests::random_model(small_config(), 5, [](const std::string& n) { return n == "embed" ? "q8_0" : "n4"; }));
}

std::shared_ptr<Backend> reference() { return make_reference_backend(); }

std::vector<int32_t> tokens(size_t n, int32_t seed = 1) {
  std::vector<int32_t> t;
  for (size_t i = 0; i < n; ++i) t.push_back(int32_t((i * 31 + size_t(seed) * 17 + i * i) % 70));
  return t;
}

std::vector<BatchRow> rows_of(const std::vector<int32_t>& t, int sequence, bool all = false) {
  std::vector<BatchRow> rows;
  for (size_t i = 0; i < t.size(); ++i) rows.push_back({t[i], sequence, all || i + 1 == t.size()});
  return rows;
}

std::vector<float> last_logits(Session& s, const std::vector<int32_t>& t, int sequence) {
  s.decode(rows_of(t, sequence));
  return {s.logits(0).begin(), s.logits(0).end()};
}

}  // namespace

TEST_CASE("a prompt gives the same bits however it is split, and whoever else is in the batch") {
  const auto model = small_model();
  const std::vector<int32_t> prompt = tokens(90);
  std::vector<float> want;
  {
    Session s(model, {{reference()}, {}}, {.context = 256});
    want = last_logits(s, prompt, s.create_sequence());
  }
  for (size_t split : {size_t(1), size_t(7), size_t(64)}) {
    Session s(model, {{reference()}, {}}, {.context = 256});
    const int a = s.create_sequence();
    std::vector<float> got;
    for (size_t i = 0; i < prompt.size(); i += split) {
      got = last_logits(
          s, {prompt.begin() + std::ptrdiff_t(i), prompt.begin() + std::ptrdiff_t(std::min(prompt.size(), i + split))},
          a);
    }
    CAPTURE(split);
    CHECK(got == want);
  }
  Session s(model, {{reference()}, {}}, {.context = 1024, .max_rows = 50});  // split inside, beside two neighbours
  const int other = s.create_sequence(), a = s.create_sequence(), third = s.create_sequence();
  std::vector<BatchRow> rows;
  const std::vector<int32_t> noise = tokens(90, 9);
  for (size_t i = 0; i < prompt.size(); ++i) {
    rows.push_back({noise[i], other, i % 3 == 0});
    rows.push_back({prompt[i], a, i + 1 == prompt.size()});
    if (i < 20) rows.push_back({noise[i + 5], third, false});
  }
  s.decode(rows);
  REQUIRE(s.output_count() == 31);
  CHECK(std::vector<float>(s.logits(30).begin(), s.logits(30).end()) == want);
}

TEST_CASE("a second turn computes only its new tokens") {
  Session s(small_model(), {{reference()}, {}}, {.context = 256});
  const int a = s.create_sequence();
  s.decode(rows_of(tokens(40), a));
  CHECK(s.stats().rows == 40);
  s.decode(rows_of(tokens(5), a));
  CHECK(s.stats().rows == 45);
  CHECK(s.length(a) == 45);
}

TEST_CASE("a fork shares its pages and copies at most one per layer") {
  const auto model = small_model();
  Session s(model, {{reference()}, {}}, {.context = 1200});
  const int a = s.create_sequence();
  const std::vector<int32_t> prompt = tokens(1000);
  s.decode(rows_of(prompt, a));
  const int64_t free_before = s.free_positions();
  const int b = s.fork_sequence(a, 1000);
  CHECK(s.free_positions() == free_before);
  const std::vector<float> from_fork = last_logits(s, {3, 4}, b);
  CHECK(s.stats().pages_copied == uint64_t(model->config().layers));
  CHECK(free_before - s.free_positions() == 64);
  const std::vector<float> other = last_logits(s, {5}, a);  // the last holder writes in place
  CHECK(s.stats().pages_copied == uint64_t(model->config().layers));
  Session fresh(model, {{reference()}, {}}, {.context = 1200});
  const int f = fresh.create_sequence();
  fresh.decode(rows_of(prompt, f));
  CHECK(last_logits(fresh, {3, 4}, f) == from_fork);
  fresh.truncate(f, 1000);
  CHECK(last_logits(fresh, {5}, f) == other);
}

TEST_CASE("truncating and removing give pages back, a full context changes nothing") {
  Session s(small_model(), {{reference()}, {}}, {.context = 128});
  const int a = s.create_sequence();
  const std::vector<float> want = last_logits(s, tokens(30), a);
  s.decode(rows_of(tokens(90), a));
  CHECK_THROWS_AS(s.decode(rows_of(tokens(20), a)), Error);
  CHECK(s.length(a) == 120);
  CHECK_THROWS_AS(s.truncate(a, 121), Error);
  s.truncate(a, 29);
  CHECK(s.free_positions() == 64);
  CHECK(last_logits(s, {tokens(30)[29]}, a) == want);
  s.remove_sequence(a);
  CHECK(s.free_positions() == 128);
  CHECK_THROWS_AS(s.length(a), Error);
}

TEST_CASE("forks that write in one batch need one page less than they are") {
  Session s(small_model(), {{reference()}, {}}, {.context = 192});
  const int a = s.create_sequence();
  s.decode(rows_of(tokens(32), a));
  const int b = s.fork_sequence(a, 32), c = s.fork_sequence(a, 32);
  CHECK(s.free_positions() == 128);
  s.decode(std::vector<BatchRow>{{3, a, true}, {3, b, true}, {3, c, true}});
  CHECK(s.free_positions() == 0);
  for (size_t o : {1, 2}) CHECK(std::equal(s.logits(0).begin(), s.logits(0).end(), s.logits(o).begin()));
  Session full(small_model(), {{reference()}, {}}, {.context = 128});
  const int d = full.create_sequence();
  full.decode(rows_of(tokens(32), d));
  const int e = full.fork_sequence(d, 32);
  full.fork_sequence(d, 32);  // holds the page, so that the other two need two
  CHECK_THROWS_AS(full.decode(std::vector<BatchRow>{{3, d, true}, {3, e, true}}), Error);
  CHECK(full.length(d) == 32);
}

TEST_CASE("bad rows are refused before anything is computed") {
  Session s(small_model(), {{reference()}, {}}, {.context = 128});
  const int a = s.create_sequence();
  CHECK_THROWS_AS(s.decode(std::vector<BatchRow>{{70, a, true}}), Error);
  CHECK_THROWS_AS(s.decode(std::vector<BatchRow>{{-2, a, true}}), Error);
  CHECK_THROWS_AS(s.decode(std::vector<BatchRow>{{1, a + 1, true}}), Error);
  CHECK(s.length(a) == 0);
  s.decode({});
  CHECK(s.output_count() == 0);
}

TEST_CASE("a row may bring its embedding instead of a token") {
  const auto model = small_model();
  Session s(model, {{reference()}, {}}, {.context = 128});
  const std::vector<float> want = last_logits(s, {11}, s.create_sequence());
  std::vector<float> embedding(64);
  const Weight e = model->weight("embed");
  dequantize_row(*e.type, e.k, e.data, 11, embedding.data());
  s.decode(std::vector<BatchRow>{{-1, s.create_sequence(), true, embedding.data()}});
  CHECK(std::vector<float>(s.logits(0).begin(), s.logits(0).end()) == want);
}

TEST_CASE("layers may be spread over backends; values are copied at the borders") {
  const auto model = small_model();
  Session one(model, {{reference()}, {}}, {.context = 128}),
      two(model, {{reference(), reference()}, {0, 1, 0}}, {.context = 128});
  CHECK(one.executor().segments() == 1);
  CHECK(two.executor().segments() == 3);
  const std::vector<float> want = last_logits(one, tokens(50), one.create_sequence());
  CHECK(last_logits(two, tokens(50), two.create_sequence()) == want);
}

TEST_CASE("a model that misses a tensor, or has one of a wrong shape, is refused by name") {
  ModelConfig c = small_config();
  const auto type = [](const std::string&) { return std::string("f32"); };
  auto m = tests::random_model(c, 1, type);
  c.layers = 4, c.windows = {};
  c.write(m->meta);
  CHECK_THROWS_WITH_AS(Model{m}, "tensor layers.3.attn_norm is missing", Error);
  c = small_config(), c.ffn_dim = 97;
  c.write(m->meta);
  CHECK_THROWS_AS(Model{m}, Error);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
TEST_CASE("a context that nobody chose fits beside the logits of a large vocabulary") {
  ModelConfig c = small_config();
  c.vocab = 30000, c.context = 1 << 21;
  const auto model = std::make_shared<Model>(tests::random_model(c, 5, [](const std::string&) { return "q8_0"; }));
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  const rlimit small{pages * uint64_t(sysconf(_SC_PAGESIZE)) + (100u << 20), before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_AS, &small) == 0);
  int64_t positions = 0;
  std::string error;
  try {
    positions = Session(model, {{reference()}, {}}, {.context = 0}).free_positions();
  } catch (const std::exception& e) {
    error = e.what();
  }
  setrlimit(RLIMIT_AS, &before);
  CHECK(error == "");
  CHECK(positions > 1000);
  CHECK(positions < c.context);
}
#endif
