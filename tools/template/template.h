// loam template: the text that a chat template makes of messages.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/text/chat_template.h"

namespace loam {

struct TemplateModel {
  std::string text;                  // of the template; empty: the model has none
  std::string bos_token, eos_token;  // empty where nothing says
};

// `path`: what open_tokenizer() opens, a folder with tokenizer_config.json or chat_template.jinja alone, or a .jinja
// file. `needs_text` false: the template comes from elsewhere.
TemplateModel open_template(const std::string& path);

// `json`: a list of messages, or an object {messages, tools, documents, add_generation_prompt, any other variable}.
// `variables`: NAME=JSON each, which go before.
ChatTemplateInput template_input(std::string_view json, const std::vector<std::string>& variables,
                                 const TemplateModel& model);

}  // namespace loam
