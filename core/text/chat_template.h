// Chat templates: messages -> the text that a model was trained to continue.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loam {

struct ChatMessage {
  std::string role, content;
};

struct ChatTemplateInput {
  std::vector<ChatMessage> messages;
  // A JSON list of whole messages (tool_calls, reasoning_content, content of several parts ...) instead of `messages`;
  // empty: none. Reasoning is passed on under each of the names that templates read it by, as transformers does.
  std::string messages_json;
  bool add_generation_prompt = true;
  std::string bos_token, eos_token;  // texts
  std::string tools, documents;      // JSON lists, or empty
  std::string more;                  // a JSON object of further variables (enable_thinking ...), or empty
  std::string time;                  // what strftime_now reads, "2024-07-26 12:00:00"; empty: the clock
};

using TemplateVariable = std::pair<std::string, std::string>;  // name, JSON text
// `json`: a list of messages, or an object {messages, tools, documents, add_generation_prompt, any other variable};
// `variables` go before. Without the texts of tokens. Fails with Error{bad_argument}.
ChatTemplateInput read_chat_input(std::string_view json, const std::vector<TemplateVariable>& variables = {});

// What a rendering took, and may take: both bounds grow with the sizes of the template and of its input.
struct TemplateCost {
  int64_t steps = 0, steps_limit = 0;    // nodes evaluated, items walked, and texts by their length
  int64_t memory = 0, memory_limit = 0;  // bytes of values alive at once, those of the input among them
};

// Fails with Error that names the line of what the template cannot do, or what it raised.
std::string render_chat(std::string_view template_text, const ChatTemplateInput& input, TemplateCost* cost = nullptr);

// Any Jinja template; `context` is a JSON object of its variables. `cost` is set even where it fails.
std::string render_template(std::string_view template_text, std::string_view context, TemplateCost* cost = nullptr,
                            std::string_view time = {});

// Fails with the line and construct of what is no template that this version runs.
void check_template(std::string_view template_text);

// Templates of Loam's own for common plain formats, without tools.
struct NamedTemplate {
  const char *name, *help, *text;
};
const NamedTemplate* find_named_template(std::string_view name);  // null: no such name
std::string named_template_list();                                // "plain, chatml, ..."

}  // namespace loam
