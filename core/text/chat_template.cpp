// Messages and tools become the context that transformers gives to a template.
#include "core/text/chat_template.h"

#include "core/error.h"
#include "core/text/jinja/interpreter.h"

namespace loam {
namespace {

using jinja::Value;

// A template of a few KiB gets 400 000 steps (some 20 ms) and 6 MiB. Templates walk long conversations more than once,
// some for each message: the bounds grow by what the input weighs (values, and texts by 16 bytes).
constexpr int64_t kSteps = 400'000, kStepsPerWeight = 320;
constexpr int64_t kMemory = 6 << 20, kMemoryPerByte = 8;

std::string render(std::string_view text, const Value& context, size_t input_bytes, std::string_view time,
                   jinja::Meter& meter, TemplateCost* cost) {
  meter.limit = INT64_MAX;
  const jinja::Template parsed = jinja::parse(text);
  const int64_t weight = context.weight();
  const int64_t steps = kSteps + kStepsPerWeight * weight;
  meter.limit = meter.live + kMemory + kMemoryPerByte * int64_t(input_bytes + text.size());
  jinja::Interpreter interpreter({steps, 200, std::string(time)});
  const struct Report {
    jinja::Interpreter& in;
    jinja::Meter& meter;
    TemplateCost* cost;
    int64_t steps;
    ~Report() {
      if (cost) *cost = {steps - in.steps_left(), steps, meter.peak, meter.limit};
    }
  } report{interpreter, meter, cost, steps};
  return interpreter.run(parsed, context);
}

// transformers: the first of these that a message has is given to templates as reasoning_content and thinking.
Value with_reasoning(const Value& message) {
  if (!message.is_dict()) fail(Code::bad_argument, "a chat message is a %s, not a JSON object", message.type_name());
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const Value* reasoning = message.find(Value(name));
    if (!reasoning || reasoning->is_none()) continue;
    jinja::DictMaker dict;
    dict.put(Value("thinking"), *reasoning);
    for (const auto& [key, value] : message.pairs()) dict.put(key, value);
    dict.put(Value("reasoning_content"), *reasoning);
    return dict.take();
  }
  return message;
}

Value messages_of(const ChatTemplateInput& input) {
  std::vector<Value> messages;
  for (const ChatMessage& m : input.messages) {
    messages.push_back(Value::dict({{Value("role"), Value(m.role)}, {Value("content"), Value(m.content)}}));
  }
  if (input.messages_json.empty()) return Value::list(std::move(messages));
  const Value given = jinja::from_json(input.messages_json, "the list of messages");
  if (!given.is_list()) fail(Code::bad_argument, "the messages are a %s, not a JSON list", given.type_name());
  for (const Value& m : given.items()) messages.push_back(with_reasoning(m));
  return Value::list(std::move(messages));
}

Value list_or_none(const std::string& json, const char* what) {
  return json.empty() ? Value(jinja::None{}) : jinja::from_json(json, what);
}

}  // namespace

std::string render_chat(std::string_view template_text, const ChatTemplateInput& input, TemplateCost* cost) {
  jinja::Meter meter;
  jinja::DictMaker context;
  context.put(Value("bos_token"), Value(input.bos_token));
  context.put(Value("eos_token"), Value(input.eos_token));
  context.put(Value("messages"), messages_of(input));
  context.put(Value("add_generation_prompt"), Value(input.add_generation_prompt));
  context.put(Value("tools"), list_or_none(input.tools, "the list of tools"));
  context.put(Value("documents"), list_or_none(input.documents, "the list of documents"));
  size_t bytes = input.messages_json.size() + input.tools.size() + input.documents.size() + input.more.size();
  for (const ChatMessage& m : input.messages) bytes += m.role.size() + m.content.size();
  if (!input.more.empty()) {
    const Value more = jinja::from_json(input.more, "the template's further variables");
    if (!more.is_dict()) fail(Code::bad_argument, "the template's further variables are not a JSON object");
    for (const auto& [key, value] : more.pairs()) context.put(key, value);
  }
  return render(template_text, context.take(), bytes, input.time, meter, cost);
}

std::string render_template(std::string_view template_text, std::string_view context, TemplateCost* cost,
                            std::string_view time) {
  jinja::Meter meter;
  const Value variables = jinja::from_json(context, "the template's input");
  return render(template_text, variables, context.size(), time, meter, cost);
}

void check_template(std::string_view template_text) {
  jinja::Meter meter;
  jinja::parse(template_text);
}

}  // namespace loam
