// Chat templates: what they are given, and Loam's own plain ones.
#include <doctest/doctest.h>

#include "core/error.h"
#include "core/text/chat_template.h"

namespace {
using namespace loam;

TEST_CASE("chat template: messages, tools and further variables") {
  ChatTemplateInput input;
  input.messages = {{"system", "S"}, {"user", "U"}};
  input.bos_token = "<s>";
  input.tools = R"([{"name": "f"}])";
  input.more = R"({"enable_thinking": false})";
  const char* text =
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] }}{% endfor %}{{ tools[0].name }}"
      "{{ enable_thinking }}{% if add_generation_prompt %}<assistant>{% endif %}";
  CHECK(render_chat(text, input) == "<s><system>S<user>UfFalse<assistant>");
  input.add_generation_prompt = false;
  input.tools = "";
  CHECK(render_chat("{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}", input) == "TrueTrueFalse");
  input.documents = R"([{"title": "D"}])";
  CHECK(render_chat("{{ documents[0].title }}", input) == "D");
  input.tools = "[1";
  CHECK_THROWS_AS(render_chat(text, input), Error);
  input.tools = std::string(100000, '[');
  CHECK_THROWS_AS(render_chat(text, input), Error);
}

TEST_CASE("chat template: whole messages, with reasoning under each of its names") {
  ChatTemplateInput input;
  const char* text =
      "{% for m in messages %}{{ m.role }}:{{ m.content }}:{{ m.reasoning_content }}:{{ m.thinking }}"
      "{{ m.tool_calls[0].function.arguments.x if m.tool_calls }};{% endfor %}";
  input.messages_json =
      R"([{"role": "user", "content": null}, {"role": "assistant", "reasoning": "r", "content": "c",
          "tool_calls": [{"function": {"name": "f", "arguments": {"x": 7}}}]}, {"role": "a", "thinking": "t"}])";
  CHECK(render_chat(text, input) == "user:None::;assistant:c:r:r7;a::t:t;");
  input.messages_json = "{}";
  CHECK_THROWS_AS(render_chat(text, input), Error);
  input.messages_json = "[1]";
  CHECK_THROWS_AS(render_chat(text, input), Error);
  input.messages_json = "[{\"role\": 18446744073709551615}]";
  CHECK_THROWS_AS(render_chat(text, input), Error);
}

TEST_CASE("chat template: the time is the caller's") {
  ChatTemplateInput input;
  input.time = "2024-07-26 12:34:56";
  CHECK(render_chat("{{ strftime_now('%d %b %Y %H:%M') }}{{ strftime_now('') }}", input) == "26 Jul 2024 12:34");
  input.time = "today";
  CHECK_THROWS_AS(render_chat("{{ strftime_now('%d') }}", input), Error);
  CHECK(render_chat("no time", input) == "no time");
}

TEST_CASE("chat template: plain formats by name") {
  ChatTemplateInput input;
  input.messages = {{"system", "S"}, {"user", "U"}, {"assistant", "A"}, {"user", "V"}};
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "System: S\n\nUser: U\n\nAssistant: A\n\nUser: V\n\nAssistant:"},
      {"chatml",
       "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
       "<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n"},
      {"llama2", "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST] A </s><s>[INST] V [/INST]"},
      {"llama3",
       "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU"
       "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>user<|end_header_id|>"
       "\n\nV<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
      {"mistral", "<s>[INST] S\n\nU [/INST] A</s>[INST] V [/INST]"},
      {"gemma",
       "<s><start_of_turn>user\nS\n\nU<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n<start_of_turn>user\nV"
       "<end_of_turn>\n<start_of_turn>model\n"},
      {"phi3",
       "<|system|>\nS<|end|>\n<|user|>\nU<|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nV<|end|>\n<|assistant|>\n"},
      {"zephyr", "<|system|>\nS</s>\n<|user|>\nU</s>\n<|assistant|>\nA</s>\n<|user|>\nV</s>\n<|assistant|>\n"},
      {"vicuna", "S\n\nUSER: U\nASSISTANT: A</s>\nUSER: V\nASSISTANT:"},
      {"alpaca", "S\n\n### Instruction:\nU\n\n### Response:\nA</s>\n\n### Instruction:\nV\n\n### Response:\n"},
  };
  for (const auto& c : cases) {
    const char *name = c.first, *expected = c.second;
    CAPTURE(name);
    const NamedTemplate* t = find_named_template(name);
    REQUIRE(t);
    CHECK(render_chat(t->text, input) == expected);
    CHECK(named_template_list().find(name) != std::string::npos);
  }
  CHECK(!find_named_template("nope"));
}

}  // namespace
