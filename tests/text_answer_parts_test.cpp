// Thinking, answers and tool calls in streams that are cut anywhere.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/text/answer_parts.h"

namespace {
using namespace loam;

// "think|answer|call" as text: T[...], A[...], C[...].
std::string parts(const std::string& answer, const std::string& prompt = "", std::mt19937* rng = nullptr) {
  AnswerParts splitter(prompt);
  std::string all;
  PartKind last = PartKind::answer;
  bool any = false;
  const auto on_part = [&](PartKind kind, std::string_view text) {
    if (!any || kind != last)
      all += (any ? "]" : "") + std::string(kind == PartKind::answer ? "A[" : kind == PartKind::thinking ? "T[" : "C[");
    any = true, last = kind;
    all += text;
  };
  for (size_t at = 0; at < answer.size();) {
    const size_t length = rng ? std::min<size_t>(1 + (*rng)() % 7, answer.size() - at) : answer.size();
    splitter.push(std::string_view(answer).substr(at, length), on_part);
    at += length;
  }
  splitter.finish(on_part);
  return all + (any ? "]" : "");
}

struct Row {
  const char *answer, *want, *prompt = "";
};
const Row kRows[] = {
    {"", ""},
    {"Hello", "A[Hello]"},
    {"\n Hello \n", "A[\n Hello \n]"},
    {" \n", "A[ \n]"},
    {"<think>\nwhy\n</think>\n\nyes", "T[why\n]A[yes]"},
    {" \n<think>why</think>yes", "T[why]A[yes]"},
    {"<think>\n\n</think>\n\nyes", "A[yes]"},
    {"<think>never ends", "T[never ends]"},
    {"<think>a < b </thin", "T[a < b </thin]"},
    {"why\n</think>\n\nyes", "T[why\n]A[yes]", "<|im_start|>assistant\n<think>\n"},
    {"why</think>yes", "T[why]A[yes]", "...<think>"},
    {"yes", "A[yes]", "<think>\n\n</think>\n\n"},
    {"The tag <think> opens, </think> closes", "A[The tag <think> opens, </think> closes]"},
    {"<think>a</think>b<think>c</think>", "T[a]A[b<think>c</think>]"},
    {"<thinker", "A[<thinker]"},
    {"<seed:think>a</seed:think>b", "T[a]A[b]"},
    {"[THINK]a[/THINK]b", "T[a]A[b]"},
    {"\u25c1think\u25b7a\u25c1/think\u25b7b", "T[a]A[b]"},
    {"<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>yes", "T[why]A[yes]"},
    {"<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>"
     "<|start|>assistant<|channel|>final<|message|>yes",
     "T[ab]A[yes]"},
    {"<|channel|>final<|message|>yes", "A[yes]"},
    {"<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.f "
     "<|constrain|>json<|message|>{}",
     "T[a]C[<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}]"},
    {"<|channel>thought\nwhy<channel|>yes", "T[why]A[yes]"},
    {"why<channel|>yes", "T[why]A[yes]", "<|turn>model\n<|channel>thought\n"},
    {"<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "T[a]A[b]"},
    {"Let me see. <tool_call>\n{\"name\": 1}\n</tool_call> done",
     "A[Let me see. ]C[<tool_call>\n{\"name\": 1}\n</tool_call>]A[ done]"},
    {"<think>a</think>\n<tool_call>{}</tool_call>\n<tool_call>{1}</tool_call>",
     "T[a]C[<tool_call>{}</tool_call>]A[\n]C[<tool_call>{1}</tool_call>]"},
    {"<|think|>a<|end|><|begin|>assistant<|content|>b", "T[a]A[b]"},
    {"a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|>", "T[a]A[b]", "<|open|>think<|sep|>"},
    {"a\n[BEGIN FINAL RESPONSE]\nb\n[END FINAL RESPONSE]", "T[a\n]A[b\n]",
     "assistant|>\nHere are my reasoning steps:\n"},
    {"yes", "A[yes]", "<|channel>thought\n<channel|>"},
    {"[TOOL_CALLS][{}]", "C[[TOOL_CALLS][{}]]"},
    {"<|tool_calls_section_begin|>x<|tool_calls_section_end|>",
     "C[<|tool_calls_section_begin|>x<|tool_calls_section_end|>]"},
    {"<\uff5ctool\u2581calls\u2581begin\uff5c>x<\uff5ctool\u2581calls\u2581end\uff5c>",
     "C[<\uff5ctool\u2581calls\u2581begin\uff5c>x<\uff5ctool\u2581calls\u2581end\uff5c>]"},
};

TEST_CASE("answer parts: the marks of the families") {
  for (const Row& row : kRows) {
    CAPTURE(row.answer);
    CHECK(parts(row.answer, row.prompt) == row.want);
  }
}

TEST_CASE("answer parts: how the stream is cut does not matter") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (const Row& row : kRows) {
    CAPTURE(row.answer);
    for (int i = 0; i < 20; ++i) REQUIRE(parts(row.answer, row.prompt, &rng) == row.want);
  }
  const char* const pieces[] = {"<think>",
                                "</think>",
                                "<think",
                                ">",
                                " ",
                                "\n",
                                "word",
                                "<",
                                "[THINK]",
                                "[/THINK]",
                                "<tool_call>",
                                "</tool_call>",
                                "<|channel|>final<|message|>",
                                "<|end|>",
                                "<|channel|>analysis<|message|>",
                                "<|channel|>",
                                "[TOOL_CALLS]"};
  for (int round = 0; round < 2000; ++round) {
    std::string answer, prompt = rng() % 4 ? "" : "<think>\n";
    for (uint32_t i = rng() % 12; i > 0; --i) answer += pieces[rng() % std::size(pieces)];
    CAPTURE(answer);
    const std::string whole = parts(answer, prompt);
    for (int i = 0; i < 3; ++i) REQUIRE(parts(answer, prompt, &rng) == whole);
  }
}

}  // namespace
