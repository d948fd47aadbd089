// loam bench: prefill and decode over lengths and threads, beside the peak and bandwidth of this machine, measured in
// turn with them (these numbers drift together on a busy machine; the shares hold).
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/bench/probes.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

std::vector<int64_t> parse_list(const std::string& text, const char* flag) {
  std::vector<int64_t> values;
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    if (word.empty() || word.size() > 7 || word.find_first_not_of("0123456789") != std::string::npos)
      throw UsageError(std::string(flag) + ": '" + word + "' is not a number");
    values.push_back(std::stoll(word));
    at = comma + 1;
  }
  return values;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v.size() % 2 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}

// What one token costs: the operations of the layers' matrices, and the bytes of all matrices that decoding reads.
struct Cost {
  double operations = 0, bytes = 0;
};

Cost cost_of(const Model& model) {
  Cost c;
  const bool tied = !model.find("output");
  for (const StoredTensor& t : model.source().tensors()) {
    if (t.vector) continue;
    const bool head = t.name == "output" || (tied && t.name == "embed");
    if (head || t.name != "embed") c.bytes += double(t.bytes.size());
    if (t.name != "output" && t.name != "embed") c.operations += 2 * double(t.n) * double(t.k);
  }
  return c;
}

struct Result {
  std::string test;
  int threads = 0;
  std::vector<double> rates, shares;  // tokens per second; share of the machine's bound measured beside
  double bound = 0;                   // the median bound in tokens per second
};

class Bench {
 public:
  Bench(const Arguments& args, const Engine& engine) : args_(args), engine_(engine), cost_(cost_of(*engine.model)) {}

  Result prefill(int threads, int64_t length) { return measure("pp" + std::to_string(length), threads, length, true); }
  Result decode(int threads, int64_t length) { return measure("tg" + std::to_string(length), threads, length, false); }
  // Seconds to choose one token with penalties, DRY and the default filters switched on; 0 before anything was decoded.
  double choose() const {
    if (logits_.empty()) return 0;
    SamplerOptions options;
    options.repeat_penalty = 1.1f, options.frequency_penalty = 0.1f, options.dry_multiplier = 0.8f;
    Sampler sampler(options);
    std::vector<int32_t> history;
    std::vector<double> seconds;
    for (int i = 0; i < 50; ++i) {
      const auto start = std::chrono::steady_clock::now();
      history.push_back(sampler.pick(logits_, history));
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return median(seconds);
  }

 private:
  Result measure(const std::string& name, int threads, int64_t length, bool is_prefill) {
    Result r{name, threads, {}, {}, 0};
    const int used = threads ? threads : omp_get_max_threads();
    const auto session = make_session(args_, engine_.model, length + 64, threads, kMaxRows);
    std::vector<double> bounds;
    run(*session, std::min<int64_t>(length, 16), is_prefill);  // warm up
    for (int64_t i = 0; i < args_.integer("--repetitions"); ++i) {
      if (interrupted()) fail(Code::cancelled, "interrupted");
      const double limit =
          is_prefill ? int8_peak(used) / (cost_.operations / 1e9) : read_bandwidth(used) / (cost_.bytes / 1e9);
      const double rate = double(length) / run(*session, length, is_prefill);
      bounds.push_back(limit);
      r.rates.push_back(rate);
      r.shares.push_back(limit > 0 ? rate / limit : 0);
    }
    r.bound = median(bounds);
    return r;
  }

  // Seconds for a prompt of this length, or for as many single tokens.
  double run(Session& session, int64_t length, bool is_prefill) {
    const int sequence = session.create_sequence();
    std::vector<BatchRow> rows;
    for (int64_t i = 0; i < length; ++i)
      rows.push_back(
          {int32_t((i * 7919 + 13) % engine_.model->config().vocab), sequence, !is_prefill || i + 1 == length});
    const auto start = std::chrono::steady_clock::now();
    if (is_prefill)
      session.decode(rows);
    else {
      for (const BatchRow& row : rows) session.decode(std::span(&row, 1));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto logits = session.logits(session.output_count() - 1);
    logits_.assign(logits.begin(), logits.end());
    session.remove_sequence(sequence);
    return seconds;
  }

  const Arguments& args_;
  const Engine& engine_;
  Cost cost_;
  std::vector<float> logits_;  // of the last row
};

void print_table(const std::vector<Result>& results, double choosing) {
  std::printf("%-8s %7s %10s %10s %10s %12s %8s\n", "test", "threads", "tokens/s", "lowest", "highest", "bound",
              "share");
  for (const Result& r : results) {
    const auto [low, high] = std::minmax_element(r.rates.begin(), r.rates.end());
    std::printf("%-8s %7d %10.1f %10.1f %10.1f %12.1f %7.1f%%\n", r.test.c_str(), r.threads, median(r.rates), *low,
                *high, r.bound, 100 * median(r.shares));
  }
  std::printf(
      "pp: reading a prompt, bound by the int8 peak; tg: one token after the other, bound by memory bandwidth.\n"
      "Medians; the bounds are measured in turn with every run.\n");
  if (choosing > 0)
    std::printf("Choosing a token, with all penalties and the default filters: %.0f us.\n", 1e6 * choosing);
}

void print_json(const std::vector<Result>& results, double choosing, const Engine& engine) {
  nlohmann::ordered_json all;
  all["model"] = engine.file->path();
  all["file_bytes"] = engine.file->file_bytes();
  all["seconds_to_choose"] = choosing;
  for (const Result& r : results) {
    all["results"].push_back({{"test", r.test},
                              {"threads", r.threads},
                              {"tokens_per_second", r.rates},
                              {"median", median(r.rates)},
                              {"bound", r.bound},
                              {"share", median(r.shares)}});
  }
  std::printf("%s\n", all.dump(2).c_str());
}

}  // namespace

int run_bench(const Arguments& args) {
  catch_interrupts();
  const std::vector<int64_t> prompts = parse_list(args.text("--prompt-lengths"), "-p"),
                             decodes = parse_list(args.text("--decode-lengths"), "-n");
  const std::vector<int64_t> threads = parse_list(args.text("--threads"), "-t");
  const Engine engine = open_engine(args, false);
  Bench bench(args, engine);
  std::vector<Result> results;
  for (int64_t t : threads) {
    const int count = int(t ? t : omp_get_max_threads());
    for (int64_t n : prompts) {
      if (n) results.push_back(bench.prefill(count, n));
    }
    for (int64_t n : decodes) {
      if (n) results.push_back(bench.decode(count, n));
    }
  }
  if (args.flag("--json"))
    print_json(results, bench.choose(), engine);
  else
    print_table(results, bench.choose());
  return kExitOk;
}

}  // namespace loam
