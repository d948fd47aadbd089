// A model opened for running: file, weights, tokenizer and one session, from the options of the command line.
#pragma once
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

// Opens (and where needed converts) a model's file, with progress on a terminal.
std::shared_ptr<const LoamFile> open_model_file(const Arguments& args, const std::string& model);

// Opens args' model. tokenizer stays empty where the file has
// none and it is not `needed`.
Engine open_engine(const Arguments& args, bool tokenizer_needed = true);

// A session with the key/value type and activations of the command line. context 0: what the model was trained for.
std::unique_ptr<Session> make_session(const Arguments& args, std::shared_ptr<const Model> model, int64_t context,
                                      int threads, int max_rows);
// The same with the context, threads and batch size of the command line.
std::unique_ptr<Session> make_session(const Arguments& args, std::shared_ptr<const Model> model);

// UsageError where a value makes no sense; check_sampling finds what can be found before a model is opened.
void check_sampling(const Arguments& args);
SamplerOptions sampler_options(const Arguments& args, const Tokenizer& tokenizer);
// Whether the command line asks for anything that only a random choice has.
bool asks_for_chance(const Arguments& args);

// The value of an option, with its escapes replaced where -e says so; and all of its values.
std::string text_option(const Arguments& args, std::string_view name);
std::vector<std::string> text_options(const Arguments& args, std::string_view name);

// The text of -p or -f (- is standard input); of standard input where neither is given.
std::string read_prompt(const Arguments& args);

}  // namespace loam
