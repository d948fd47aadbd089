// How an answer looks: thinking dimmed and tool calls coloured on a terminal; in scripts the answer alone.
#pragma once
#include <functional>
#include <string_view>

#include "core/text/answer_parts.h"

namespace loam {

enum class AnswerStyle : uint8_t {
  script,  // thinking is left out
  plain,   // a terminal without colours: thinking in brackets
  colour,
};

class AnswerPrinter {
 public:
  using Sink = std::function<void(std::string_view)>;
  AnswerPrinter(AnswerStyle style, bool show_thinking, Sink sink)
      : style_(style), show_thinking_(show_thinking), sink_(std::move(sink)) {}

  void print(PartKind kind, std::string_view text);
  void finish();                               // the end of the answer: puts colours back
  bool answered() const { return answered_; }  // something besides thinking came

 private:
  void change(PartKind kind);
  AnswerStyle style_;
  bool show_thinking_;
  Sink sink_;
  PartKind kind_ = PartKind::answer;
  bool answered_ = false, line_open_ = false;
};

// Of standard output; NO_COLOR and TERM=dumb are respected.
AnswerStyle style_of_stdout();

}  // namespace loam
