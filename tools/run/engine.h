// A model opened for running: file, weights, tokenizer and one session, from the options of the command line.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/session.h"
#include "core/text/sampler.h"
#include "core/text/tokenizer.h"
#include "formats/container/reader.h"
#include "tools/cli/args.h"

namespace loam {

struct Engine {
  std::shared_ptr<const LoamFile> file;
  std::shared_ptr<const Model> model;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Session> session;
};

// Opens (and where needed converts) args' model, with progress on a terminal. tokenizer stays empty where the file has
// none and it is not `needed`.
Engine open_engine(const Arguments& args, bool tokenizer_needed = true);

// The placement and session options that the command line asks for.
std::unique_ptr<Session> make_session(std::shared_ptr<const Model> model, int64_t context, const std::string& kv,
                                      int threads, int batch);

SamplerOptions sampler_options(const Arguments& args);

// The text of -p or -f (- is standard input); of standard input where neither is given.
std::string read_prompt(const Arguments& args);

}  // namespace loam
