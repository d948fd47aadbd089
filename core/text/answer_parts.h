// Splits an answer as it comes into what the model thinks, what it says and the tools that it calls, by the marks that
// model families write.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "core/text/stop.h"

namespace loam {

enum class PartKind : uint8_t { answer, thinking, tool_call };

class AnswerParts {
 public:
  using OnPart = std::function<void(PartKind, std::string_view)>;

  // `prompt`: what the model read; where it ends with a mark that begins thinking, the answer begins inside.
  explicit AnswerParts(std::string_view prompt = {});

  // Gives the parts without the marks around thinking and without white space next to them; a tool call keeps its
  // marks. What may become a mark is held back.
  void push(std::string_view text, const OnPart& on_part);
  void finish(const OnPart& on_part);

 private:
  void enter(std::string_view mark, const OnPart& on_part);
  void leave(std::string_view mark, const OnPart& on_part);
  void give(std::string_view text, const OnPart& on_part);
  StopMatcher openings() const;

  PartKind kind_ = PartKind::answer;
  bool said_ = false;   // the answer has begun: from here on, only marks that are special tokens begin thinking
  bool fresh_ = false;  // behind a mark: white space is dropped until something else comes
  bool lead_ = true;    // at the beginning: white space waits for what comes
  std::string waiting_;
  StopMatcher matcher_;
};

}  // namespace loam
