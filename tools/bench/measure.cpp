#include "tools/bench/measure.h"

#include <algorithm>

#include "core/machine.h"
#include "tools/bench/bench_run.h"
#include "tools/bench/statistics.h"

namespace loam {

std::vector<int64_t> parse_list(const std::string& text, const char* flag, int64_t least) {
  std::vector<int64_t> values;
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    if (word.empty() || word.size() > 7 || word.find_first_not_of("0123456789") != std::string::npos)
      throw UsageError(std::string(flag) + ": '" + word + "' is not a number from " + std::to_string(least) +
                       " to 9999999");
    values.push_back(std::stoll(word));
    if (values.back() < least)
      throw UsageError(std::string(flag) + ": " + word + " is out of range; expected at least " +
                       std::to_string(least));
    at = comma + 1;
  }
  return values;
}

std::vector<BenchTest> bench_tests(const Arguments& args) {
  const auto list = [&](const char* name, const char* flag, int64_t least) {
    return parse_list(args.text(name), flag, least);
  };
  const auto prompts = list("--prompt-lengths", "-p", 0), decodes = list("--decode-lengths", "-n", 0),
             batches = list("--batches", "--batches", 1), depths = list("--depths", "--depths", 0);
  std::vector<BenchTest> tests;
  for (int64_t t : list("--threads", "-t", 0)) {
    if (t > 1024) throw UsageError("-t: " + std::to_string(t) + " is out of range; expected at most 1024");
    const int threads = t ? int(t) : usable_processors();
    for (int64_t p : prompts) {
      if (p) tests.push_back({.prompt = p, .threads = threads});
    }
    for (int64_t n : decodes) {
      for (int64_t d : depths) {
        for (int64_t b : batches) {
          if (n) tests.push_back({.decode = n, .batch = b, .depth = d, .threads = threads});
        }
      }
    }
  }
  return tests;
}

BenchResult measure(const Arguments& args, std::shared_ptr<const Model> model, const BenchTest& test,
                    const BenchTick& tick) {
  const int64_t repetitions = args.integer("--repetitions");
  BenchRun run(args, model, test);
  BenchResult r;
  r.isa = run.isa(), r.test = test.name(), r.threads = test.threads;
  run.seconds();  // warms up
  std::vector<double> bounds, int8, f32, bandwidth;
  for (int64_t i = 0; i < repetitions; ++i) {
    const Limits limits = run.probe().first;
    const double least = least_seconds(run.graph(), run.step(), limits);
    const double rate = double(test.tokens()) / run.seconds();
    const double bound = least > 0 ? double(test.tokens()) / double(run.steps()) / least : 0;
    r.rates.push_back(rate);
    bounds.push_back(bound);
    r.shares.push_back(bound > 0 ? rate / bound : 0);
    int8.push_back(limits.int8), f32.push_back(limits.f32), bandwidth.push_back(limits.bandwidth);
    tick();
  }
  r.limits = {median(int8), median(f32), median(bandwidth)};
  r.bound = median(bounds);
  if (args.flag("--profile")) r.profile = run.profile(repetitions, run.probe().second);
  return r;
}

}  // namespace loam
