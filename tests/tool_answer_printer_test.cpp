// How answers look on a terminal and in scripts.
#include <doctest/doctest.h>

#include <vector>

#include "tools/chat/answer_printer.h"

using namespace loam;

namespace {

using Parts = std::vector<std::pair<PartKind, std::string_view>>;

std::string show(AnswerStyle style, bool thinking, const Parts& parts) {
  std::string out;
  AnswerPrinter printer(style, thinking, [&](std::string_view s) { out += s; });
  for (const auto& [kind, text] : parts) printer.print(kind, text);
  printer.finish();
  return out;
}

const Parts kThought = {{PartKind::thinking, "why"}, {PartKind::thinking, " not"},         {PartKind::answer, "yes"},
                        {PartKind::answer, ""},      {PartKind::tool_call, "<tool_call>"}, {PartKind::answer, "."}};

}  // namespace

TEST_CASE("answer printer: scripts get the answer alone") {
  CHECK(show(AnswerStyle::script, true, kThought) == "yes<tool_call>.");
  CHECK(show(AnswerStyle::script, true, {{PartKind::thinking, "why"}}).empty());
}

TEST_CASE("answer printer: a terminal shows thinking dimmed, or that there is some") {
  CHECK(show(AnswerStyle::colour, true, kThought) == "\033[2mwhy not\033[0m\n\nyes\033[36m<tool_call>\033[0m.");
  CHECK(show(AnswerStyle::colour, false, kThought) == "\033[2m(thinking)\033[0m\n\nyes\033[36m<tool_call>\033[0m.");
  CHECK(show(AnswerStyle::plain, true, kThought) == "[why not]\n\nyes<tool_call>.");
  CHECK(show(AnswerStyle::plain, false, kThought) == "(thinking)\n\nyes<tool_call>.");
  CHECK(show(AnswerStyle::colour, true, {{PartKind::thinking, "why\n"}, {PartKind::answer, "yes"}}) ==
        "\033[2mwhy\n\033[0m\nyes");
}

TEST_CASE("answer printer: an answer that ends inside its thinking leaves no colour behind") {
  CHECK(show(AnswerStyle::colour, true, {{PartKind::thinking, "why"}}) == "\033[2mwhy\033[0m\n\n");
  CHECK(show(AnswerStyle::colour, true, {{PartKind::tool_call, "x"}}) == "\033[36mx\033[0m");
  std::string out;
  AnswerPrinter printer(AnswerStyle::colour, true, [&](std::string_view s) { out += s; });
  printer.print(PartKind::thinking, "why");
  CHECK_FALSE(printer.answered());
  printer.print(PartKind::answer, "yes");
  CHECK(printer.answered());
}
