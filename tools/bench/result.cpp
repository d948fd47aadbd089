#include "tools/bench/result.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "core/text/json.h"
#include "tools/bench/statistics.h"
#include "tools/cli/files.h"

namespace loam {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

// "1.067 [1.010, 1.120] faster"
std::string describe_ratio(const Ratio& r) {
  if (r.estimate == 0) return "-";
  if (!r.known) return text("%.3f too few runs", r.estimate);
  return text("%.3f [%.3f, %.3f] %s", r.estimate, r.low, r.high,
              !r.differs() ? "within the noise"
              : r.low > 1  ? "faster"
                           : "slower");
}

bool several_models(const std::vector<BenchResult>& results) {
  return std::any_of(results.begin(), results.end(), [&](const auto& r) { return r.model != results[0].model; });
}

}  // namespace

std::string BenchTest::name() const {
  std::string name = prompt ? "pp" + std::to_string(prompt) : "tg" + std::to_string(decode);
  if (batch > 1) name += " b" + std::to_string(batch);
  return depth ? name + " d" + std::to_string(depth) : name;
}

std::string describe_results(const std::vector<BenchResult>& results) {
  std::string all, model;
  for (const BenchResult& r : results) {
    if (r.model != model) {
      all += text("%s%.200s, %s\n%-16s %7s %10s %10s %10s %10s %7s %10s %9s\n", all.empty() ? "" : "\n",
                  r.model.c_str(), r.isa.c_str(), "test", "threads", "tokens/s", "lowest", "highest", "bound", "share",
                  "int8 Gop/s", "read GB/s");
      model = r.model;
    }
    const auto [low, high] = std::minmax_element(r.rates.begin(), r.rates.end());
    all += text("%-16s %7d %10.1f %10.1f %10.1f %10.1f %6.1f%% %10.0f %9.1f\n", r.test.c_str(), r.threads,
                median(r.rates), *low, *high, r.bound, 100 * median(r.shares), r.limits.int8, r.limits.bandwidth);
  }
  return all;
}

std::string describe_profile(const BenchResult& r) {
  double sum = 0;
  for (const ProfileLine& line : r.profile) sum += line.seconds;
  std::string all = text("%s, %d threads: %.3f ms per step\n%-28s %9s %7s %7s %9s\n", r.test.c_str(), r.threads,
                         1e3 * sum, "what", "ms", "share", "limit", "of limit");
  for (const ProfileLine& line : r.profile) {
    all += text("%-28s %9.4f %6.1f%%", line.what.c_str(), 1e3 * line.seconds, sum > 0 ? 100 * line.seconds / sum : 0);
    if (line.least > 0 && line.seconds > 0)
      all += text(" %7s %8.1f%%", line.limit.c_str(), 100 * line.least / line.seconds);
    all += "\n";
  }
  return all;
}

std::string to_json(const std::vector<BenchResult>& results) {
  Json all = {{"format", "loam bench 1"}, {"version", LOAM_VERSION}};
  all["results"] = Json::array();
  for (const BenchResult& r : results) {
    const auto [low, high] = std::minmax_element(r.rates.begin(), r.rates.end());
    Json one = {{"model", r.model},
                {"isa", r.isa},
                {"test", r.test},
                {"threads", r.threads},
                {"tokens_per_second", r.rates},
                {"median", median(r.rates)},
                {"lowest", r.rates.empty() ? 0 : *low},
                {"highest", r.rates.empty() ? 0 : *high},
                {"bound", r.bound},
                {"shares", r.shares},
                {"share", median(r.shares)},
                {"int8_gops", r.limits.int8},
                {"f32_gflops", r.limits.f32},
                {"read_gbs", r.limits.bandwidth}};
    for (const ProfileLine& p : r.profile) {
      one["profile"].push_back(
          {{"what", p.what}, {"seconds", p.seconds}, {"least_seconds", p.least}, {"limit", p.limit}});
    }
    all["results"].push_back(std::move(one));
  }
  return all.dump_any(2) + "\n";
}

std::vector<BenchResult> parse_results(const std::string& json, const std::string& path) {
  const Json all = parse_json(json, path.c_str());
  return with_json_errors(path.c_str(), [&] {
    if (!all.is_object() || all.value("format", "") != "loam bench 1")
      fail(Code::bad_file, "%s: is not what loam bench --json prints", path.c_str());
    std::vector<BenchResult> results;
    for (const Json& one : all["results"]) {
      BenchResult r;
      r.model = one["model"].text(), r.isa = one["isa"].text(), r.test = one["test"].text();
      r.threads = one["threads"].get<int>();
      r.rates = one["tokens_per_second"].list<double>();
      r.shares = one["shares"].list<double>();
      if (r.rates.size() > 100 || r.shares.size() > 100)  // the exact test takes the fourth power of that
        fail(Code::bad_file, "%s: %zu runs of a test, at most 100 are compared", path.c_str(), r.rates.size());
      results.push_back(std::move(r));
    }
    return results;
  });
}

std::vector<BenchResult> read_results(const std::string& path) { return parse_results(read_text_file(path), path); }

std::string describe_comparison(const std::vector<BenchResult>& a, const std::vector<BenchResult>& b) {
  const bool by_model = several_models(a) || several_models(b);
  std::string all = text("%-16s %7s %10s %10s  %-40s %s\n", "test", "threads", "A", "B", "B / A, tokens per second",
                         "B / A, share of the bound");
  size_t found = 0;
  for (const BenchResult& x : a) {
    for (const BenchResult& y : b) {
      if (x.test != y.test || x.threads != y.threads || (by_model && x.model != y.model)) continue;
      if (by_model) all += text("%.200s\n", x.model.c_str());
      all +=
          text("%-16s %7d %10.1f %10.1f  %-40s %s\n", x.test.c_str(), x.threads, median(x.rates), median(y.rates),
               describe_ratio(compare(x.rates, y.rates)).c_str(), describe_ratio(compare(x.shares, y.shares)).c_str());
      ++found;
      break;
    }
  }
  if (found == 0) return "The two files have no test in common.\n";
  return all +
         "Medians of all quotients, with their exact 95 % intervals (Mann-Whitney); a difference is within the noise\n"
         "where the interval holds 1. Shares are of bounds measured beside each run: they hold on a busy machine.\n";
}

}  // namespace loam
