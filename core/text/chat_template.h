// Chat templates: messages -> the text that a model was trained to continue.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace loam {

struct ChatMessage {
  std::string role, content;
};

struct ChatTemplateInput {
  std::vector<ChatMessage> messages;
  bool add_generation_prompt = true;
  std::string bos_token, eos_token;  // texts
  std::string tools;                 // a JSON list, or empty
  std::string more;                  // a JSON object of further variables (enable_thinking ...), or empty
};

// Fails with Error that names the line of what the template cannot do, or what it raised.
std::string render_chat(std::string_view template_text, const ChatTemplateInput& input);

// Any Jinja template; `context` is a JSON object of its variables.
std::string render_template(std::string_view template_text, std::string_view context);

}  // namespace loam
