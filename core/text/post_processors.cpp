// Post-processors: the ids that stand before and after an encoded text.
#include "core/error.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"

namespace loam {
namespace {

int32_t checked_id(const Json& value, const TokenizerSpec& spec) {
  const int64_t id = value.is_number_integer() ? value.get<int64_t>() : -1;
  if (id < 0 || id >= int64_t(spec.size())) {
    fail(Code::bad_file, "tokenizer: the post-processor names an id outside the vocabulary of %zu tokens", spec.size());
  }
  return int32_t(id);
}

// "single" lists {"SpecialToken": {"id": name}} and one {"Sequence": ...}; "special_tokens" has the ids of each name.
void add_template(const Json& step, const TokenizerSpec& spec, Special& s) {
  size_t texts = 0;
  for (const Json& item : step.value("single", Json::array())) {
    if (item.is_object() && item.contains("Sequence")) {
      ++texts;
      continue;
    }
    const Json* special = item.is_object() && item.contains("SpecialToken") ? &item["SpecialToken"] : nullptr;
    const std::string name = special && special->is_object() ? string_field(*special, "id") : std::string();
    const Json table = step.value("special_tokens", Json::object());
    if (!table.is_object() || !table.contains(name) || !table[name].is_object() || !table[name].contains("ids")) {
      fail(Code::bad_file, "tokenizer: the template names '%.100s', which it does not define", name.c_str());
    }
    for (const Json& id : table[name]["ids"]) (texts ? s.after : s.before).push_back(checked_id(id, spec));
  }
  if (texts != 1) {
    fail(Code::unsupported, "tokenizer: the template for one text has it %zu times; this version knows only once",
         texts);
  }
}

void add_pair(const Json& step, const char* name, const TokenizerSpec& spec, std::vector<int32_t>& ids) {
  const Json pair = step.value(name, Json());
  if (!pair.is_array() || pair.size() != 2) fail(Code::bad_file, "tokenizer: '%s' is not [text, id]", name);
  ids.push_back(checked_id(pair[1], spec));
}

void add_cls_sep(const Json& step, const TokenizerSpec& spec, Special& s) {
  add_pair(step, "cls", spec, s.before);
  add_pair(step, "sep", spec, s.after);
}

void add_nothing(const Json&, const TokenizerSpec&, Special&) {}

void add_any(const Json& step, const TokenizerSpec& spec, Special& s);

void add_sequence(const Json& step, const TokenizerSpec& spec, Special& s) {
  for (const Json& part : step.value("processors", Json::array())) {
    Special inner;
    add_any(part, spec, inner);
    s.before.insert(s.before.begin(), inner.before.begin(), inner.before.end());
    s.after.insert(s.after.end(), inner.after.begin(), inner.after.end());
  }
}

struct Row {
  const char* type;
  void (*add)(const Json& step, const TokenizerSpec& spec, Special& s);
};
const Row kPostProcessors[] = {
    {"TemplateProcessing", add_template}, {"ByteLevel", add_nothing},  // trims offsets, which we do not report
    {"BertProcessing", add_cls_sep},      {"RobertaProcessing", add_cls_sep}, {"Sequence", add_sequence},
};

void add_any(const Json& step, const TokenizerSpec& spec, Special& s) {
  const std::string type = step_type("post-processor", step);
  for (const Row& row : kPostProcessors) {
    if (type == row.type) return row.add(step, spec, s);
  }
  fail_unknown_step("post-processor", type);
}

}  // namespace

Special make_post_processor(const Json& step, const TokenizerSpec& spec) {
  Special s;
  if (!step.is_null()) add_any(step, spec, s);
  return s;
}

}  // namespace loam
