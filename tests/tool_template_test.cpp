// loam template: where templates and messages come from.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "tests/temp_folder.h"
#include "tools/cli/args.h"
#include "tools/template/template.h"
#include "tools/template/template_text.h"

using namespace loam;

namespace {
using Folder = tests::TempFolder;

std::string rendered(const TemplateModel& model, const std::string& json, const std::vector<std::string>& vars = {}) {
  return render_chat(model.text, template_input(json, vars, model));
}

}  // namespace

TEST_CASE("template: from a folder's configuration, or its own file") {
  const Folder folder;
  folder.write("tokenizer_config.json",
               R"({"bos_token": {"content": "<b>"}, "eos_token": "<e>", "chat_template": [{"name": "tool_use",
                  "template": "T"}, {"name": "default", "template": "{{ bos_token }}{{ messages|length }}"}]})");
  TemplateModel model = open_template(folder.path.string());
  CHECK(rendered(model, R"([{"role": "user", "content": "x"}])") == "<b>1");
  const std::string file = folder.write("chat_template.jinja", "{{ eos_token }}{{ x }}{{ add_generation_prompt }}");
  model = open_template(folder.path.string());
  CHECK(rendered(model, R"({"messages": [], "x": 5})") == "<e>5True");
  CHECK(rendered(model, R"({"messages": [], "x": 5, "add_generation_prompt": false})", {"x=[1]"}) == "<e>[1]False");
  CHECK(open_template(file).text == model.text);
}

TEST_CASE("template: what is no input or template is named") {
  const Folder folder;
  const TemplateModel model{"{{ messages }}", "", ""};
  CHECK_THROWS_AS(template_input("{}", {}, model), Error);
  CHECK_THROWS_AS(template_input("{\"messages\"", {}, model), Error);
  CHECK_THROWS_AS(template_input("3", {}, model), Error);
  CHECK_THROWS_AS(template_input("[]", {"x"}, model), UsageError);
  CHECK_THROWS_AS(template_input("[]", {"x=nope"}, model), Error);
  CHECK(template_text("chatml").find("<|im_start|>") != std::string::npos);
  CHECK(template_text(folder.write("a.jinja", "{{ 1 }}")) == "{{ 1 }}");
  CHECK_THROWS_WITH_AS(template_text(folder.write("b.jinja", "\n{% include 'x' %}")),
                       "template, line 2: 'include' is not supported: a chat template is one text", Error);
  CHECK_THROWS_AS(template_text("no such name"), Error);
}
