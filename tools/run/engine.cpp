#include "tools/run/engine.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "backends/backends.h"
#include "tools/cli/files.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/convert/open.h"

namespace loam {

std::shared_ptr<const LoamFile> open_model_file(const Arguments& args, const std::string& model) {
  const std::string path = open_or_convert(model, {}, args.text("--pre"));
  ProgressLine line("checking");
  const Progress progress = [&](uint64_t done, uint64_t total) {
    line.update(done, total);
    return !interrupted();
  };
  return std::make_shared<LoamFile>(path, LoamFileOptions{!args.flag("--no-verify"), progress});
}

Engine open_engine(const Arguments& args, bool tokenizer_needed) {
  Engine e;
  e.file = open_model_file(args, args.model());
  e.model = std::make_shared<Model>(e.file);
  if (const TokenizerSpec* spec = e.file->tokenizer())
    e.tokenizer = std::make_unique<Tokenizer>(*spec);
  else if (tokenizer_needed)
    fail(Code::bad_file, "%s has no tokenizer: convert it again from a source that has one", e.file->path().c_str());
  return e;
}

std::unique_ptr<Session> make_session(const Arguments& args, std::shared_ptr<const Model> model, int64_t context,
                                      int threads, int max_rows) {
  SessionOptions options;
  options.context = context;
  const auto kv = std::find(std::begin(kKvTypes), std::end(kKvTypes), args.text("--kv"));
  options.decoder.kv = KvType(kv - std::begin(kKvTypes));
  options.decoder.activations = args.text("--activations") == "f32" ? Activations::Kind::f32 : Activations::Kind::int8;
  options.max_rows = max_rows;
  return std::make_unique<Session>(std::move(model), make_placement("cpu", threads), options);
}

std::unique_ptr<Session> make_session(const Arguments& args, std::shared_ptr<const Model> model) {
  return make_session(args, std::move(model), args.integer("--ctx-size"), int(args.integer("--threads")),
                      int(args.integer("--batch-size")));
}

std::string read_prompt(const Arguments& args) {
  if (args.has("--prompt")) return text_option(args, "--prompt");
  if (!args.has("--file") || args.text("--file") == "-") return read_standard_input();
  return read_text_file(args.text("--file"));
}

}  // namespace loam
