// loam bench: prefill and decode over lengths, batches, depths and threads, beside the peaks and the bandwidth of this
// machine, measured in turn with them (these numbers drift together on a busy machine; the shares hold).
#include <cstdio>

#include "tools/bench/measure.h"
#include "tools/bench/synthetic.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

int compare_files(const Arguments& args) {
  if (!args.has("--model") || !args.plain().empty()) throw UsageError("--compare takes two files");
  std::printf("%s", describe_comparison(read_results(args.text("--compare")), read_results(args.model())).c_str());
  return kExitOk;
}

std::shared_ptr<const ModelSource> open_source(const Arguments& args, const std::string& model) {
  if (!args.has("--synthetic")) return open_model_file(args, model);
  return make_synthetic(args.text("--synthetic"), args.text("--type"), args.integer("--activation-block"));
}

void measure_model(const Arguments& args, const std::string& path, std::vector<BenchResult>& results) {
  const auto model = std::make_shared<const Model>(open_source(args, path));
  const std::string& name = model->config().name;
  const std::vector<BenchTest> tests = bench_tests(args);
  ProgressLine line("measuring", ProgressLine::Unit::items);
  uint64_t done = 0;
  const uint64_t total = tests.size() * uint64_t(args.integer("--repetitions"));
  for (const BenchTest& test : tests) {
    BenchResult r = measure(args, model, test, [&] { line.update(++done, total); });
    r.model = (name.empty() ? path : name) + ", " + human_bytes(double(model->weight_bytes()));
    results.push_back(std::move(r));
  }
}

void print(const std::vector<BenchResult>& results, bool json) {
  if (json) {
    std::printf("%s", to_json(results).c_str());
    return;
  }
  std::printf("%s", describe_results(results).c_str());
  for (const BenchResult& r : results) {
    if (!r.profile.empty()) std::printf("\n%s", describe_profile(r).c_str());
  }
  if (!results.empty())
    std::printf(
        "\npp: reading a prompt, bound by the int8 peak; tg: decoding, b sequences at once, d tokens after the first,\n"
        "bound op by op by arithmetic or by reading weights, keys and values. Medians; the bounds are measured in "
        "turn\n"
        "with every run, the bandwidth by reading the same bytes in the same order.\n");
}

}  // namespace

int run_bench(const Arguments& args) {
  if (args.has("--compare")) return compare_files(args);
  if (args.has("--synthetic") == (args.has("--model") || !args.plain().empty()))
    args.has("--synthetic") ? throw UsageError("--synthetic takes no model") : args.model();
  if (!args.has("--synthetic") && (args.has("--type") || args.has("--activation-block")))
    throw UsageError("--type and --activation-block belong to --synthetic");
  bench_tests(args);  // what is wrong is said before a model is opened
  catch_interrupts();
  std::vector<std::string> models(args.plain().begin(), args.plain().end());
  models.insert(models.begin(), args.has("--synthetic") ? "" : args.model());
  std::vector<BenchResult> results;
  try {
    for (const std::string& model : models) measure_model(args, model, results);
  } catch (const Error& e) {
    if (e.code != Code::cancelled || !interrupted()) throw;
    print(results, args.flag("--json"));
    throw;
  }
  print(results, args.flag("--json"));
  return kExitOk;
}

}  // namespace loam
