// The C API: answers that fit a grammar or a JSON schema.
#include "core/loam_api_sampler.h"

using namespace loam;
using namespace loam::api;

namespace {

template <class Compile>
loam_status constrain(loam_sampler* sampler, const loam_model* model, const char* text, size_t size, const char* what,
                      Compile compile) {
  return guarded([&] {
    loam_sampler& s = required(sampler, "sampler");
    const std::string_view source = text_argument(text, size, what);
    if (!text) {
      s.constraint.reset();
      return;
    }
    const std::shared_ptr<const ModelState>& state = required(model, "model").state;
    if (!state->tokenizer) fail(Code::unsupported, "the model has no tokenizer");
    std::shared_ptr<const Automaton> automaton = compile(source, &*state->tokenizer);
    s.constraint = std::make_unique<GrammarConstraint>(
        std::move(automaton), state->tokenizer->token_trie(size_t(state->model->config().vocab)));
  });
}

}  // namespace

extern "C" {

loam_status loam_sampler_set_grammar(loam_sampler* sampler, const loam_model* model, const char* grammar,
                                     size_t grammar_size) {
  return constrain(sampler, model, grammar, grammar_size, "grammar", compile_gbnf);
}

loam_status loam_sampler_set_json_schema(loam_sampler* sampler, const loam_model* model, const char* schema,
                                         size_t schema_size) {
  return constrain(sampler, model, schema, schema_size, "schema",
                   [](std::string_view source, const Tokenizer*) { return compile_json_schema(source); });
}

}  // extern "C"
