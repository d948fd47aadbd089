// A small random model to converse with.
#pragma once
#include <doctest/doctest.h>

#include "backends/backends.h"
#include "core/text/constraint.h"
#include "core/text/stop.h"
#include "core/text/tokenizer_json.h"
#include "tests/golden_models.h"
#include "tests/memory_model.h"
#include "tests/temp_folder.h"
#include "tools/chat/conversation.h"

namespace loam::tests {

constexpr const char* kTemplate =
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]\n{% endfor %}{% if add_generation_prompt "
    "%}[assistant]{% endif %}";

struct Fixture {
  Tokenizer tokenizer;
  std::shared_ptr<Model> model;
  std::unique_ptr<Session> session;
  Sampler sampler{greedy()};

  static TokenizerSpec tiny() {
    return tokenizer_from_json(golden::read_text(golden::data_dir() / "tiny_vocab" / "tokenizer.json"), {}, {}).spec;
  }

  explicit Fixture(int64_t context, TokenizerSpec spec = tiny()) : tokenizer(std::move(spec)) {
    ModelConfig c;
    c.dim = 64, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 32, c.ffn_dim = 96, c.context = 4096;
    c.vocab = int64_t(tokenizer.size());
    model = std::make_shared<Model>(tests::random_model(c, 21, [](const std::string&) { return std::string("q8_0"); }));
    SessionOptions options;
    options.context = context;
    session = std::make_unique<Session>(model, make_placement("cpu", 1), options);
  }

  static SamplerOptions greedy() {
    SamplerOptions o;
    o.temperature = 0;
    return o;
  }

  Conversation conversation(bool shift = false, int64_t limit = 12, StopMatcher* stop = nullptr,
                            const std::string& chat_template = kTemplate) {
    GenerateOptions answer;
    answer.limit = limit;
    answer.stop = stop;
    return Conversation(*session, tokenizer, sampler, {chat_template, "", shift, answer});
  }
};

inline const auto never = [] { return false; };

inline std::string ask(Conversation& c, const std::string& text, AnswerStats* stats = nullptr) {
  std::string answer;
  const AnswerStats s = c.ask(text, never, [&](PartKind, std::string_view piece) { answer += piece; });
  if (stats) *stats = s;
  return answer;
}

}  // namespace loam::tests
