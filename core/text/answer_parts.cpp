// The table of marks, and a matcher that looks for those that can come next.
#include "core/text/answer_parts.h"

#include <algorithm>
#include <vector>

namespace loam {
namespace {

enum class Role : uint8_t {
  text,     // thinking, only at the beginning of an answer: later these are words like others
  channel,  // thinking wherever it comes
  call,     // a tool call
  silent,   // stands for nothing
};

struct Marks {
  std::string_view open, close;  // close empty: until the end of the answer
  Role role;
};

constexpr Marks kMarks[] = {
    {"<think>", "</think>", Role::text},
    {"<thinking>", "</thinking>", Role::text},
    {"<thought>", "</thought>", Role::text},
    {"<reasoning>", "</reasoning>", Role::text},
    {"<seed:think>", "</seed:think>", Role::text},
    {"<mm:think>", "</mm:think>", Role::text},
    {"<think:opensource>", "</think:opensource>", Role::text},
    {"[THINK]", "[/THINK]", Role::text},
    {"Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]", Role::text},
    {"\u25c1think\u25b7", "\u25c1/think\u25b7", Role::text},
    {"<|START_THINKING|>", "<|END_THINKING|>", Role::channel},
    {"<|inner_prefix|>", "<|inner_suffix|>", Role::channel},
    {"<|channel|>analysis<|message|>", "<|end|>", Role::channel},
    {"<|channel>thought\n", "<channel|>", Role::channel},
    {"<|open|>think<|sep|>", "<|close|>think<|sep|>", Role::channel},
    {"<|think|>", "<|end|>", Role::channel},
    {"<tool_call>", "</tool_call>", Role::call},
    {"<tool_calls>", "</tool_calls>", Role::call},
    {"<function_call>", "</function_call>", Role::call},
    {"<|tool_call>", "<tool_call|>", Role::call},
    {"<|tool_call_start|>", "<|tool_call_end|>", Role::call},
    {"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", Role::call},
    {"<\uff5ctool\u2581calls\u2581begin\uff5c>", "<\uff5ctool\u2581calls\u2581end\uff5c>", Role::call},
    {"<|START_ACTION|>", "<|END_ACTION|>", Role::call},
    {"<|channel|>commentary to=", "<|call|>", Role::call},
    {"[TOOL_CALLS]", "", Role::call},
    {"<|python_tag|>", "", Role::call},
    {"<|start|>assistant", "", Role::silent},
    {"<|channel|>final<|message|>", "", Role::silent},
    {"<|channel|>commentary<|message|>", "", Role::silent},
    {"<|begin|>assistant", "", Role::silent},
    {"<|content|>", "", Role::silent},
    {"<|open|>response<|sep|>", "", Role::silent},
    {"<|close|>response<|sep|>", "", Role::silent},
    {"[END FINAL RESPONSE]", "", Role::silent},
    {"<|START_RESPONSE|>", "", Role::silent},
    {"<|END_RESPONSE|>", "", Role::silent},
};

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

const Marks& find_marks(std::string_view open) {
  return *std::find_if(std::begin(kMarks), std::end(kMarks), [&](const Marks& m) { return m.open == open; });
}

StopMatcher closing(const Marks& marks) {
  if (marks.close.empty()) return StopMatcher();
  const std::string close(marks.close);
  return StopMatcher({&close, 1});
}

}  // namespace

AnswerParts::AnswerParts(std::string_view prompt) {
  while (!prompt.empty() && is_space(prompt.back())) prompt.remove_suffix(1);
  for (const Marks& marks : kMarks) {
    std::string_view open = marks.open;
    while (is_space(open.back())) open.remove_suffix(1);
    if ((marks.role != Role::text && marks.role != Role::channel) || !prompt.ends_with(open)) continue;
    kind_ = PartKind::thinking;
    fresh_ = true;
    lead_ = false;
    matcher_ = closing(marks);
    return;
  }
  matcher_ = openings();
}

StopMatcher AnswerParts::openings() const {
  std::vector<std::string> open;
  for (const Marks& marks : kMarks) {
    if (marks.role != Role::text || !said_) open.emplace_back(marks.open);
  }
  return StopMatcher(open);
}

void AnswerParts::give(std::string_view text, const OnPart& on_part) {
  while ((fresh_ || lead_) && !text.empty() && is_space(text[0])) {
    if (lead_) waiting_ += text[0];
    text.remove_prefix(1);
  }
  if (text.empty()) return;
  fresh_ = lead_ = false;
  if (!waiting_.empty()) on_part(kind_, waiting_);
  waiting_.clear();
  on_part(kind_, text);
}

void AnswerParts::enter(std::string_view mark, const OnPart& on_part) {
  const Marks& marks = find_marks(mark);
  if (marks.role == Role::text && said_) {
    matcher_ = openings();
    return give(mark, on_part);
  }
  fresh_ = true;
  lead_ = false;
  waiting_.clear();
  if (marks.role == Role::silent) {
    matcher_ = openings();
    return;
  }
  kind_ = marks.role == Role::call ? PartKind::tool_call : PartKind::thinking;
  if (kind_ == PartKind::tool_call) give(mark, on_part);
  matcher_ = closing(marks);
}

void AnswerParts::leave(std::string_view mark, const OnPart& on_part) {
  if (kind_ == PartKind::tool_call) give(mark, on_part);
  fresh_ = kind_ == PartKind::thinking;
  kind_ = PartKind::answer;
  said_ = true;
  matcher_ = openings();
}

void AnswerParts::push(std::string_view text, const OnPart& on_part) {
  std::string again;
  while (!text.empty()) {
    size_t used = 0;
    const std::string shown = matcher_.push(text, &used);
    text.remove_prefix(used);
    give(shown, on_part);
    const bool begins = kind_ == PartKind::answer && !said_ && !std::all_of(shown.begin(), shown.end(), is_space);
    said_ |= begins;
    if (matcher_.stopped()) {
      const std::string mark = matcher_.found();
      if (kind_ == PartKind::answer)
        enter(mark, on_part);
      else
        leave(mark, on_part);
    } else if (begins) {  // fewer marks can come from here on
      again = matcher_.finish() + std::string(text);
      text = again;
      matcher_ = openings();
    }
  }
}

void AnswerParts::finish(const OnPart& on_part) {
  give(matcher_.finish(), on_part);
  if (!waiting_.empty()) on_part(kind_, waiting_);
  waiting_.clear();
}

}  // namespace loam
