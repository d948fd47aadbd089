// loam complete: continues a raw text.
#include <cstdio>

#include "core/text/stop.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/run/constraint.h"
#include "tools/run/engine.h"
#include "tools/run/generate.h"

namespace loam {

int run_complete(const Arguments& args) {
  check_sampling(args);
  catch_interrupts();
  Engine engine = open_engine(args);
  const std::vector<int32_t> prompt = engine.tokenizer->encode(read_prompt(args));
  if (prompt.empty()) fail(Code::bad_argument, "the text is empty and the model has no token to begin with");
  engine.session = make_session(args, engine.model);
  Stream stream(*engine.session, *engine.tokenizer);
  Sampler sampler(sampler_options(args, *engine.tokenizer));
  StopMatcher stop(text_options(args, "--stop"));
  const auto constraint = make_constraint(args, *engine.tokenizer, size_t(engine.model->config().vocab));
  ProgressLine line("reading", ProgressLine::Unit::items);
  const auto progress = [&](uint64_t done, uint64_t total) { line.update(done, total); };
  if (!stream.feed(prompt, interrupted, progress)) return kExitInterrupted;
  line.finish();
  const auto print = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  GenerateOptions options;
  options.limit = args.integer("--predict");
  options.seconds = args.number("--time-limit");
  options.stop = &stop;
  options.constraint = constraint.get();
  const StopReason why = stream.generate(sampler, options, interrupted, print);
  std::printf("\n");
  if (why == StopReason::context_full)
    std::fprintf(stderr, "loam complete: the context of %lld tokens is full (-c asks for more)\n",
                 (long long)stream.tokens().size());
  if (why == StopReason::time_limit) std::fprintf(stderr, "loam complete: stopped by --time-limit\n");
  return why == StopReason::interrupted ? kExitInterrupted : kExitOk;
}

}  // namespace loam
