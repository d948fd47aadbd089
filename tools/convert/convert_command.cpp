// loam convert SOURCE [FILE] [--type NAME] [--rounder NAME] [--activation-block N] [--requantize] [-t N]
#include <chrono>
#include <cstdio>

#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/convert/convert.h"

namespace loam {

int run_convert(const Arguments& args) {
  catch_interrupts();
  const auto start = std::chrono::steady_clock::now();
  const std::string from = args.plain()[0];
  if (args.has("--output") && args.plain().size() > 1) throw UsageError("two names for the result; give one");
  const std::string to = args.has("--output")      ? args.text("--output")
                         : args.plain().size() > 1 ? args.plain()[1]
                                                   : default_destination(from);
  ProgressLine line("converting");
  ConvertOptions options;
  options.type = args.text("--type");
  options.rounder = args.text("--rounder");
  options.activation_block = int(args.integer("--activation-block"));
  options.requantize = args.flag("--requantize");
  options.threads = int(args.integer("--threads"));
  options.progress = [&](uint64_t done, uint64_t total) {
    line.update(done, total);
    return !interrupted();
  };
  const ConvertReport report = convert_model(*open_source(from, args.text("--pre")), to, options);
  line.finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::fprintf(stderr, "%s: %s (source %s), %zu tensors bit for bit, %zu rounded, in %.1f s\n", to.c_str(),
               human_bytes(double(report.file_bytes)).c_str(), human_bytes(double(report.source_bytes)).c_str(),
               report.exact, report.rounded, seconds);
  if (report.rounded)
    std::fprintf(stderr, "largest relative error of a tensor (NMSE): %.3g, %s\n", report.worst_nmse,
                 report.worst_tensor.c_str());
  return kExitOk;
}

}  // namespace loam
