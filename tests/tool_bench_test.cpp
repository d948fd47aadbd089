// loam bench: its lists, tests, costs, statistics, JSON and comparisons. No measured time decides anything.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "backends/backends.h"
#include "core/session.h"
#include "tools/bench/bench_run.h"
#include "tools/bench/measure.h"
#include "tools/bench/statistics.h"
#include "tools/bench/synthetic.h"
#include "tools/cli/commands.h"

using namespace loam;

namespace {

Arguments bench_arguments(const std::vector<std::string>& words) {
  for (const Command& c : all_commands()) {
    if (c.name == "bench") return parse_arguments(words, c.options, c.least, c.most);
  }
  FAIL("no bench");
  return {};
}

std::vector<std::string> names(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  for (const BenchTest& t : bench_tests(bench_arguments(words)))
    all.push_back(t.name() + " t" + std::to_string(t.threads));
  return all;
}

template <class Work>
std::string complaint(Work work) {
  try {
    work();
  } catch (const UsageError& e) {
    return e.what();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

BenchResult result(const std::string& model, const std::string& test, std::vector<double> rates) {
  BenchResult r;
  r.model = model, r.isa = "avx2", r.test = test, r.threads = 2;
  r.rates = rates;
  for (double& rate : rates) rate /= 1000;
  r.shares = rates;
  return r;
}

std::shared_ptr<const Model> tiny(const std::string& type = "n4") {
  return std::make_shared<const Model>(make_synthetic("tiny", type, 32));
}

// P(U = u) by counting every order of n + m numbers.
double chance_of_at_most(int n, int m, int u) {
  int all = 0, below = 0;
  for (int bits = 0; bits < 1 << (n + m); ++bits) {
    if (__builtin_popcount(unsigned(bits)) != n) continue;
    int pairs = 0, others = 0;
    for (int i = 0; i < n + m; ++i) {
      if (bits >> i & 1)
        pairs += others;
      else
        ++others;
    }
    ++all, below += pairs <= u;
  }
  return double(below) / all;
}

}  // namespace

TEST_CASE("bench: lists of numbers") {
  CHECK(parse_list("1,20,9999999", "-n", 0) == std::vector<int64_t>{1, 20, 9999999});
  CHECK(parse_list("", "-n", 1).empty());
  for (const char* wrong : {",", "1,", ",1", "a", "-1", "1 ", "10000000", "1,,2", "0x1"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_list(wrong, "-n", 0), UsageError);
  }
  CHECK(complaint([] { parse_list("2,0", "--batches", 1); }) == "--batches: 0 is out of range; expected at least 1");
}

TEST_CASE("bench: the tests that a command line asks for") {
  CHECK(names({"m", "-t", "3"}) == std::vector<std::string>{"pp512 t3", "tg64 t3"});
  CHECK(names({"m", "-t", "1,2", "-p", "0", "-n", "8", "--batches", "1,4", "--depths", "0,64"}) ==
        std::vector<std::string>{"tg8 t1", "tg8 b4 t1", "tg8 d64 t1", "tg8 b4 d64 t1", "tg8 t2", "tg8 b4 t2",
                                 "tg8 d64 t2", "tg8 b4 d64 t2"});
  CHECK(bench_tests(bench_arguments({"m"}))[0].threads >= 1);  // 0: as many as there are
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"-t", "1025"},
                                                {"--batches", "0"},
                                                {"--depths", "x"},
                                                {"-p", "12345678"},
                                                {"-n", "1,,2"}}) {
    CAPTURE(wrong[0]);
    CHECK_THROWS_AS(bench_tests(bench_arguments(wrong)), UsageError);
  }
  const auto run = [](std::vector<std::string> words) { return complaint([&] { run_bench(bench_arguments(words)); }); };
  CHECK(run({}).find("model") != std::string::npos);
  CHECK(run({"a.loam", "--synthetic", "tiny"}) == "--synthetic takes no model");
  CHECK(run({"a.loam", "--type", "n4"}) == "--type and --activation-block belong to --synthetic");
  CHECK(run({"--compare", "a.json"}) == "--compare takes two files");
  CHECK(run({"--compare", "a.json", "b.json", "c.json"}) == "--compare takes two files");
  CHECK(run({"--synthetic", "tiny", "--activation-block", "48"}).find("48") != std::string::npos);
  CHECK(run({"--synthetic", "huge"}).find("llama-1b") != std::string::npos);
  CHECK(run({"--synthetic", "tiny", "--type", "q9"}).find("'q9'") != std::string::npos);
}

TEST_CASE("bench: medians and ratios") {
  CHECK(median({}) == 0);
  CHECK(median({3}) == 3);
  CHECK(median({4, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 2.5);
  for (int n = 1; n <= 6; ++n) {
    for (int m = 1; m <= 6; ++m) {
      const int bound = mann_whitney_bound(n, m, 0.025);
      CAPTURE(n);
      CAPTURE(m);
      CHECK((bound < 0 || chance_of_at_most(n, m, bound) <= 0.025));
      CHECK(chance_of_at_most(n, m, bound + 1) > 0.025);
    }
  }
  CHECK(mann_whitney_bound(20, 20, 0.025) == 127);  // as printed tables say
  const Ratio faster = compare({1, 1.01, 1.02, 0.99, 1}, {2, 2.02, 2.01, 1.99, 2});
  CHECK(faster.estimate == doctest::Approx(2).epsilon(0.01));
  CHECK(faster.differs());
  CHECK((faster.low > 1.9 && faster.high < 2.1 && faster.low < faster.high));
  const Ratio same = compare({1, 2, 3, 4, 5}, {1.1, 2.1, 2.9, 4.1, 4.9});
  CHECK((same.known && !same.differs()));
  const Ratio few = compare({1, 1, 1}, {2, 2, 2});
  CHECK((!few.known && !few.differs() && few.estimate == 2));
  for (const Ratio& none : {compare({}, {1}), compare({0, 1}, {1}), compare({1}, {std::nan("")})})
    CHECK(none.estimate == 0);
}

TEST_CASE("bench: JSON gives back what went in") {
  BenchResult r = result("a \"model\", 3 MiB \xff", "pp8", {1.25, 1000.0 / 3, 7});
  r.bound = 2000, r.limits = {1, 2, 3};
  r.profile = {{"head", 0.5, 0.25, "read"}};
  const std::string json = to_json({r, result("b", "tg4", {})});
  const std::vector<BenchResult> back = parse_results(json, "x.json");
  REQUIRE(back.size() == 2);
  CHECK(back[0].rates == r.rates);
  CHECK(back[0].shares == r.shares);
  CHECK((back[0].test == "pp8" && back[0].threads == 2 && back[0].isa == "avx2"));
  const auto all = nlohmann::json::parse(json);
  CHECK(all["results"][0]["median"] == 7);
  CHECK(all["results"][0]["highest"] == 1000.0 / 3);
  CHECK(all["results"][0]["profile"][0]["limit"] == "read");
  CHECK(parse_results(to_json({}), "x").empty());
  for (const char* wrong :
       {"", "{", "[]", "3", "{}", "{\"format\": \"other\"}", "{\"format\": \"loam bench 1\"}",
        "{\"format\": \"loam bench 1\", \"results\": [3]}",
        "{\"format\": \"loam bench 1\", \"results\": [{\"model\": \"m\", \"isa\": \"i\", \"test\": \"t\", "
        "\"threads\": \"2\", \"tokens_per_second\": [], \"shares\": []}]}"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_results(wrong, "x.json"), Error);
  }
  CHECK_THROWS_AS(parse_results(to_json({result("m", "t", std::vector<double>(101, 1))}), "x"), Error);
  CHECK_THROWS_AS(read_results("/no/such/file.json"), Error);
}

TEST_CASE("bench: comparisons say what is noise") {
  const std::vector<double> slow{100, 101, 99, 100, 102}, fast{110, 111, 112, 109, 110}, wide{50, 150, 90, 120, 100};
  const auto compared = [&](std::vector<BenchResult> a, std::vector<BenchResult> b) {
    return describe_comparison(a, b);
  };
  const std::string up = compared({result("m", "pp8", slow)}, {result("other", "pp8", fast)});
  CHECK(up.find("1.100 [") != std::string::npos);
  CHECK(up.find("faster") != std::string::npos);
  CHECK(compared({result("m", "pp8", fast)}, {result("m", "pp8", slow)}).find("slower") != std::string::npos);
  CHECK(compared({result("m", "pp8", slow)}, {result("m", "pp8", wide)}).find("] within the noise") !=
        std::string::npos);
  CHECK(compared({result("m", "pp8", {1, 2})}, {result("m", "pp8", fast)}).find("too few runs") != std::string::npos);
  CHECK(compared({result("m", "pp8", slow)}, {result("m", "tg8", fast)}) == "The two files have no test in common.\n");
  // With several models in a file, tests are those of the same model.
  const std::string two = compared({result("m", "pp8", slow), result("n", "pp8", slow)}, {result("n", "pp8", fast)});
  CHECK(two.find("\nn\npp8") != std::string::npos);
  CHECK(two.find("\nm\n") == std::string::npos);
}

TEST_CASE("bench: what a step costs follows from the graph") {
  const auto model = tiny("q8_0");
  Session session(model, make_placement("cpu", 1));
  const Graph& graph = session.executor().graph();
  const auto sum = [&](const Step& step) {
    Cost all;
    for (const Node& node : graph.nodes()) all += node_cost(graph, node, step);
    return all;
  };
  const double layer = 64 * (64 + 32 + 32 + 64 + 3 * 96.0), head = 64 * 96;
  const Cost one = sum({1, 1, 9, 1});
  CHECK(one.int8 == 2 * (2 * layer + head));
  CHECK(one.f32 == 2 * 4 * 10 * 64.0);  // layers, multiply-adds of q.k and p.v, positions, heads * head_dim
  CHECK(one.bytes == (2 * layer + head) * 34 / 32 + 2 * 2 * 10 * 32 * 2.0);
  size_t read = 0;
  for (Bytes b : weights_read(graph)) read += b.size();
  CHECK(double(read) == (2 * layer + head) * 34 / 32);
  const Cost prompt = sum({1, 5, 0, 1});  // the last layer's o, gate, up and down are of the last row alone
  CHECK(prompt.int8 == 2 * (5 * layer + 5 * 64 * 128.0 + 64 * (64 + 3 * 96.0) + head));
  CHECK(prompt.f32 == 2 * 4 * 15 * 64.0);
  const Cost four = sum({4, 1, 9, 4});
  CHECK(four.int8 == 4 * one.int8);
  CHECK(four.f32 == 4 * one.f32);
  const Limits limits{10, 5, 1};
  CHECK(least_seconds({20e9, 0, 1e9}, limits) == 2);
  CHECK(least_seconds({10e9, 10e9, 1e9}, limits) == 3);
  CHECK(least_seconds({1e9, 0, 1e9}, limits) == 1);
  CHECK(std::string(binding_limit({20e9, 0, 1e9}, limits)) == "int8");
  CHECK(std::string(binding_limit({0, 1e9, 1e9}, limits)) == "read");
  CHECK(std::string(binding_limit({}, limits)).empty());
  CHECK(std::string(binding_limit({1e9, 0, 0}, {0, 0, 0})).empty());
}

TEST_CASE("bench: synthetic models of every type run, whatever is measured") {
  for (const TypeInfo& type : all_types()) {
    CAPTURE(type.name);
    const auto model = tiny(std::string(type.name));
    Session session(model, make_placement("cpu", 1));
    const BatchRow row{1, session.create_sequence(), true};
    session.decode({&row, 1});
    const auto logits = session.logits(0);
    CHECK(std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); }));
  }
  const Arguments args = bench_arguments({"--synthetic", "tiny", "-p", "3", "-n", "2", "--batches", "1,3", "--depths",
                                          "0,5,100", "-r", "1", "-t", "2", "--profile"});
  int ticks = 0;
  std::vector<BenchResult> results;
  for (const BenchTest& test : bench_tests(args)) results.push_back(measure(args, tiny(), test, [&] { ++ticks; }));
  CHECK(results.size() == 7);
  CHECK(ticks == 7);
  for (const BenchResult& r : results) {
    CAPTURE(r.test);
    CHECK((r.rates.size() == 1 && r.rates[0] > 0 && r.bound > 0));
    CHECK(r.shares[0] == doctest::Approx(r.rates[0] / r.bound));
    const auto has = [&](const char* what) {
      return std::any_of(r.profile.begin(), r.profile.end(), [&](const auto& line) { return line.what == what; });
    };
    for (const char* what : {"linear qkv", "linear o", "linear gate up", "linear down", "head", "attention", "embed",
                             "waiting, starting threads", "session, interruptions"})
      CHECK_MESSAGE(has(what), what);
    CHECK(has("choosing a token") == (r.test[0] == 't'));
    CHECK(describe_profile(r).find("ms per step") != std::string::npos);
  }
  CHECK(describe_results(results).find("tg2 b3 d100") != std::string::npos);
}

TEST_CASE("bench: probes know every instruction set of this machine, and no other") {
  const std::string backend(make_placement("cpu", 1).backends[0]->name());
  const std::string isa = backend.substr(4);
  CHECK((isa == "scalar" || int8_peak(isa, 1).whole > 0));
  CHECK((isa == "scalar" || f32_peak(isa, 2).calm > 0));
  CHECK(int8_peak("none", 1).whole == 0);
  std::vector<std::byte> memory(100000);
  const Bytes parts[] = {Bytes(memory).first(64), {}, Bytes(memory).last(4096)};
  CHECK(read_bandwidth(parts, 2).calm > 0);
  CHECK(read_bandwidth({}, 1).whole == 0);
}

TEST_CASE("session: repeated pages make a long sequence") {
  const auto model = tiny();
  Session session(model, make_placement("cpu", 1), {.context = 1024});
  const int a = session.create_sequence();
  std::vector<BatchRow> rows;
  for (int i = 0; i < 128; ++i) rows.push_back({i % 90, a, false});
  session.decode(rows);
  CHECK_THROWS_AS(session.repeat(a, 127), Error);
  CHECK_THROWS_AS(session.repeat(a, 1025), Error);
  session.repeat(a, 500);
  CHECK(session.length(a) == 500);
  CHECK(session.free_positions() == 512);
  const BatchRow next{1, a, true};
  session.decode({&next, 1});
  CHECK(session.length(a) == 501);
  CHECK_THROWS_AS(session.repeat(a, 600), Error);  // no whole page
  session.remove_sequence(a);
  CHECK(session.free_positions() == 1024);
  CHECK_THROWS_AS(session.repeat(session.create_sequence(), 64), Error);  // nothing to repeat
}
