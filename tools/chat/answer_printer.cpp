#include "tools/chat/answer_printer.h"

#include <unistd.h>

#include <cstdlib>

namespace loam {
namespace {

constexpr std::string_view kDim = "\033[2m", kCyan = "\033[36m", kReset = "\033[0m";

}  // namespace

void AnswerPrinter::change(PartKind kind) {
  const bool colour = style_ == AnswerStyle::colour;
  if (kind_ == PartKind::thinking) {
    if (show_thinking_ && !colour) sink_("]");
    if (colour) sink_(kReset);
    if (line_open_) sink_("\n");
    sink_("\n");
  } else if (kind_ == PartKind::tool_call && colour) {
    sink_(kReset);
  }
  kind_ = kind;
  if (kind == PartKind::tool_call && colour) sink_(kCyan);
  if (kind != PartKind::thinking) return;
  if (colour) sink_(kDim);
  line_open_ = true;
  if (!show_thinking_)
    sink_("(thinking)");
  else if (!colour)
    sink_("[");
}

void AnswerPrinter::print(PartKind kind, std::string_view text) {
  if (text.empty()) return;
  answered_ |= kind != PartKind::thinking;
  if (style_ == AnswerStyle::script) {
    if (kind != PartKind::thinking) sink_(text);
    return;
  }
  if (kind != kind_) change(kind);
  if (kind == PartKind::thinking && !show_thinking_) return;
  sink_(text);
  line_open_ = text.back() != '\n';
}

void AnswerPrinter::finish() {
  if (style_ != AnswerStyle::script && kind_ != PartKind::answer) change(PartKind::answer);
}

AnswerStyle style_of_stdout() {
  if (!isatty(STDOUT_FILENO)) return AnswerStyle::script;
  const char* const term = std::getenv("TERM");
  const char* const no_colour = std::getenv("NO_COLOR");
  const bool plain = (no_colour && *no_colour) || !term || std::string_view(term) == "dumb";
  return plain ? AnswerStyle::plain : AnswerStyle::colour;
}

}  // namespace loam
