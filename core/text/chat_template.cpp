// Messages and tools become the context that transformers gives to a template.
#include "core/text/chat_template.h"

#include "core/text/jinja/interpreter.h"
#include "core/text/json.h"

namespace loam {
namespace {

std::string render(std::string_view template_text, const jinja::Value& context) {
  const jinja::Body body = jinja::parse(template_text);
  return jinja::Interpreter().run(body, context);
}

}  // namespace

std::string render_chat(std::string_view template_text, const ChatTemplateInput& input) {
  using jinja::Value;
  std::vector<Value> messages;
  for (const ChatMessage& m : input.messages) {
    messages.push_back(Value::dict({{"role", Value(m.role)}, {"content", Value(m.content)}}));
  }
  std::vector<std::pair<Value, Value>> context{
      {"messages", Value::list(std::move(messages))},
      {"add_generation_prompt", Value(input.add_generation_prompt)},
      {"bos_token", Value(input.bos_token)},
      {"eos_token", Value(input.eos_token)},
      {"tools", input.tools.empty() ? Value(jinja::None{}) : jinja::from_json(input.tools)},
  };
  if (!input.more.empty()) {
    const Value more = jinja::from_json(input.more);
    if (!more.is_dict()) fail(Code::bad_argument, "the template's further variables are not a JSON object");
    context.insert(context.end(), more.pairs().begin(), more.pairs().end());
  }
  return render(template_text, Value::dict(std::move(context)));
}

std::string render_template(std::string_view template_text, std::string_view context) {
  return render(template_text, jinja::from_json(context));
}

}  // namespace loam
