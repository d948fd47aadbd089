// Templates of Loam's own for common plain formats.
#include "core/text/chat_template.h"

namespace loam {
namespace {

constexpr const char* kPlain =
    "{% for m in messages %}{{ {'user': 'User', 'assistant': 'Assistant', 'system': 'System'}[m.role] or m.role }}: "
    "{{ m.content | trim }}\n\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}";

constexpr const char* kChatMl =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

// In the formats without a place for it, the system's message begins the first question.
constexpr const char* kLlama2 =
    "{% set ns = namespace(system='') %}{% for m in messages %}{% if m.role == 'system' %}"
    "{% set ns.system = '<<SYS>>\\n' ~ m.content ~ '\\n<</SYS>>\\n\\n' %}{% elif m.role == 'user' %}"
    "{{ bos_token }}[INST] {{ ns.system }}{{ m.content }} [/INST]{% set ns.system = '' %}"
    "{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}";

constexpr const char* kLlama3 =
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}";

constexpr const char* kMistral =
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}{% if m.role == 'system' %}"
    "{% set ns.system = m.content ~ '\\n\\n' %}{% elif m.role == 'user' %}[INST] {{ ns.system }}{{ m.content }} [/INST]"
    "{% set ns.system = '' %}{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}";

constexpr const char* kGemma =
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}{% if m.role == 'system' %}"
    "{% set ns.system = m.content ~ '\\n\\n' %}{% else %}<start_of_turn>{{ 'model' if m.role == 'assistant' else "
    "m.role }}"
    "\n{{ ns.system }}{{ m.content | trim }}<end_of_turn>\n{% set ns.system = '' %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}";

constexpr const char* kPhi3 =
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}";

constexpr const char* kZephyr =
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}";

constexpr const char* kVicuna =
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n{% elif m.role == 'user' %}"
    "USER: {{ m.content }}\n{% else %}ASSISTANT: {{ m.content }}{{ eos_token }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}";

constexpr const char* kAlpaca =
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n{% elif m.role == 'user' %}"
    "### Instruction:\n{{ m.content }}\n\n{% else %}### Response:\n{{ m.content }}{{ eos_token }}\n\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}### Response:\n{% endif %}";

constexpr NamedTemplate kTemplates[] = {
    {"plain", "names and colons, for models without a template", kPlain},
    {"chatml", "<|im_start|> (Qwen, SmolLM, Hermes, Yi)", kChatMl},
    {"llama2", "[INST] with <<SYS>>", kLlama2},
    {"llama3", "<|start_header_id|>", kLlama3},
    {"mistral", "[INST]", kMistral},
    {"gemma", "<start_of_turn>", kGemma},
    {"phi3", "<|user|> ... <|end|>", kPhi3},
    {"zephyr", "<|user|> ... end of text", kZephyr},
    {"vicuna", "USER: ASSISTANT:", kVicuna},
    {"alpaca", "### Instruction: ### Response:", kAlpaca},
};

}  // namespace

const NamedTemplate* find_named_template(std::string_view name) {
  for (const NamedTemplate& t : kTemplates) {
    if (name == t.name) return &t;
  }
  return nullptr;
}

std::string named_template_list() {
  std::string out;
  for (const NamedTemplate& t : kTemplates) (out += out.empty() ? "" : ", ") += t.name;
  return out;
}

}  // namespace loam
