#include "tools/template/template.h"

#include <cstdio>
#include <filesystem>

#include "core/text/json.h"
#include "core/text/tokenizer.h"
#include "tools/cli/commands.h"
#include "tools/cli/files.h"
#include "tools/convert/open_tokenizer.h"
#include "tools/template/template_text.h"

namespace loam {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) ? read_text_file(path.string()) : std::string();
}

// "<s>", or {"content": "<s>"}
std::string token_text(const Json& config, const char* name) {
  const Json token = config.value(name, Json());
  if (token.is_string()) return token.get<std::string>();
  return token.is_object() ? token.value("content", "") : "";
}

// Of a list of {name, template}, the one named default.
std::string config_template(const Json& config) {
  const Json given = config.value("chat_template", Json());
  if (given.is_string()) return given.get<std::string>();
  if (!given.is_array()) return {};
  for (const Json& one : given) {
    if (one.is_object() && one.value("name", "") == "default") return one.value("template", "");
  }
  return {};
}

TemplateModel from_folder(const fs::path& folder) {
  TemplateModel model;
  const std::string text = file_text(folder / "tokenizer_config.json");
  if (!text.empty()) {
    const Json config = parse_json(text, "tokenizer_config.json");
    with_json_errors("tokenizer_config.json", [&] {
      model = {config_template(config), token_text(config, "bos_token"), token_text(config, "eos_token")};
    });
  }
  const std::string own = file_text(folder / "chat_template.jinja");
  if (!own.empty()) model.text = own;
  return model;
}

}  // namespace

TemplateModel open_template(const std::string& path) {
  std::error_code error;
  if (path.ends_with(".jinja")) return {read_text_file(path), "", ""};
  const bool config_alone = fs::is_directory(path, error) && !fs::exists(fs::path(path) / "tokenizer.json", error) &&
                            (fs::exists(fs::path(path) / "tokenizer_config.json", error) ||
                             fs::exists(fs::path(path) / "chat_template.jinja", error));
  if (config_alone) return from_folder(path);
  LoadedTokenizer loaded = open_tokenizer(path);
  TemplateModel model{std::move(loaded.chat_template), "", ""};
  const Tokenizer tokenizer(std::move(loaded.spec));
  const TokenizerSpec& spec = tokenizer.spec();
  if (spec.bos >= 0) model.bos_token = tokenizer.token(spec.bos);
  if (spec.eos >= 0) model.eos_token = tokenizer.token(spec.eos);
  return model;
}

ChatTemplateInput template_input(std::string_view text, const std::vector<std::string>& variables,
                                 const TemplateModel& model) {
  std::vector<TemplateVariable> more;
  for (const std::string& v : variables) {
    const size_t equals = v.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError("--var " + v +
                       ": expected NAME=JSON, e.g. enable_thinking=false or date_string='\"1 Jan 2025\"'");
    }
    more.emplace_back(v.substr(0, equals), v.substr(equals + 1));
  }
  ChatTemplateInput input = read_chat_input(text, more);
  input.bos_token = model.bos_token;
  input.eos_token = model.eos_token;
  return input;
}

int run_template(const Arguments& args) {
  TemplateModel model = open_template(args.model());
  if (args.has("--template")) model.text = template_text(args.text("--template"));
  if (model.text.empty()) {
    fail(Code::unsupported,
         "the model has no chat template: give one with --template FILE, or --template plain (or %s)",
         named_template_list().c_str());
  }
  const std::string text =
      args.has("--file") && args.text("--file") != "-" ? read_text_file(args.text("--file")) : read_standard_input();
  ChatTemplateInput input = template_input(text, args.list("--var"), model);
  if (args.flag("--no-generation-prompt")) input.add_generation_prompt = false;
  if (args.has("--time")) input.time = args.text("--time");
  const std::string out = render_chat(model.text, input);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace loam
