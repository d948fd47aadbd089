// What a chat template is given, from one JSON text.
#include "core/text/chat_template.h"
#include "core/text/json.h"

namespace loam {
namespace {

ChatTemplateInput read(std::string_view text, const std::vector<TemplateVariable>& variables) {
  constexpr const char* kWhat = "the input of the chat template";
  Json json = parse_json(text, kWhat);
  if (json.is_array()) json = Json{{"messages", std::move(json)}};
  if (!json.is_object() || !json.contains("messages"))
    fail(Code::bad_argument, "%s is neither a JSON list of messages nor an object with 'messages'", kWhat);
  for (const auto& [name, value] : variables) json[name] = parse_json(value, ("the variable " + name).c_str());
  return with_json_errors(kWhat, [&] {
    ChatTemplateInput input;
    const auto take = [&](const char* name) {
      std::string out = json.contains(name) && !json[name].is_null() ? json[name].dump_any() : "";
      json.erase(name);
      return out;
    };
    input.messages_json = take("messages");
    input.tools = take("tools");
    input.documents = take("documents");
    input.add_generation_prompt = json.value("add_generation_prompt", true);
    json.erase("add_generation_prompt");
    if (!json.empty()) input.more = json.dump_any();
    return input;
  });
}

}  // namespace

ChatTemplateInput read_chat_input(std::string_view json, const std::vector<TemplateVariable>& variables) {
  try {
    return read(json, variables);
  } catch (const Error& e) {  // the text is an argument, not a file
    throw Error(e.code == Code::bad_file ? Code::bad_argument : e.code, e.what());
  }
}

}  // namespace loam
