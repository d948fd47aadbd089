// loam chat: a conversation on a terminal, or one answer per line of piped input.
#include <unistd.h>

#include <cstdio>

#include "core/text/stop.h"
#include "tools/chat/answer_printer.h"
#include "tools/chat/conversation.h"
#include "tools/chat/line_input.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/run/constraint.h"
#include "tools/run/engine.h"
#include "tools/template/template_text.h"

namespace loam {
namespace {

constexpr int64_t kBaseModelLimit = 128;  // tokens of an answer of a model that never learnt to end one

constexpr const char* kHelp =
    "/help        this list\n"
    "/clear       forget the conversation\n"
    "/undo        forget the last question and its answer\n"
    "/think       show or hide what the model thinks\n"
    "/stats       speed and memory of the last answer\n"
    "/save FILE   write the conversation as JSON\n"
    "/load FILE   go on with a saved conversation\n"
    "/quit        leave (Ctrl-D does too); Ctrl-C stops an answer, twice leaves\n";

class Chat {
 public:
  Chat(const Arguments& args, const Engine& engine, Sampler& sampler, ConversationOptions options,
       GrammarConstraint* constraint, bool terminal)
      : args_(args),
        engine_(engine),
        constraint_(constraint),
        terminal_(terminal),
        show_thinking_(!args.flag("--hide-thinking")),
        conversation_(*engine.session, *engine.tokenizer, sampler, std::move(options)) {}

  int run() {
    if (args_.has("--prompt") || args_.has("--file")) answer(read_prompt(args_));
    while (true) {
      const std::optional<std::string> line = read_line("> ", terminal_);
      if (!line && interrupted()) {
        if (!terminal_ || !ask_whether_to_leave()) return kExitInterrupted;
        continue;
      }
      if (!line) break;
      if (!handle(*line)) break;
      if (!terminal_ && last_.reason == StopReason::interrupted) return kExitInterrupted;
    }
    if (terminal_) std::fputs("\n", stderr);
    return failed_ ? kExitFailure : kExitOk;
  }

 private:
  // Ctrl-C at an empty prompt: a second one leaves (false).
  bool ask_whether_to_leave() {
    std::fputs("\n(Ctrl-C once more, or /quit, leaves)\n", stderr);
    const std::optional<std::string> line = read_line("> ", terminal_);
    clear_interrupt();
    return line && handle(*line);
  }

  // Returns false to leave.
  bool handle(const std::string& line) {
    if (line.empty()) return true;
    if (terminal_ && (line == "/quit" || line == "/exit")) return false;
    if (terminal_ && line[0] == '/')
      command(line);
    else
      answer(line);
    return true;
  }

  void command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space), file = space == std::string::npos ? "" : line.substr(space + 1);
    try {
      if (name == "/help")
        std::fputs(kHelp, stderr);
      else if (name == "/clear")
        conversation_.clear(), std::fputs("(the conversation is empty)\n", stderr);
      else if (name == "/undo")
        std::fputs(conversation_.undo() ? "(the last answer is forgotten)\n" : "(there is nothing to undo)\n", stderr);
      else if (name == "/think")
        show_thinking_ = !show_thinking_,
        std::fputs(show_thinking_ ? "(thinking is shown)\n" : "(thinking is hidden)\n", stderr);
      else if (name == "/stats")
        print_stats();
      else if ((name == "/save" || name == "/load") && file.empty())
        std::fprintf(stderr, "%s needs a file name\n", name.c_str());
      else if (name == "/save")
        conversation_.save(file), std::fprintf(stderr, "(saved to %s)\n", file.c_str());
      else if (name == "/load")
        conversation_.load(file), std::fprintf(stderr, "(%zu messages)\n", conversation_.messages().size());
      else
        std::fprintf(stderr, "unknown command %s; /help lists them\n", name.c_str());
    } catch (const Error& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
  }

  void answer(const std::string& text) {
    ProgressLine line("reading", ProgressLine::Unit::items);
    const auto progress = [&](uint64_t done, uint64_t total) {
      line.update(done, total);
      if (done == total) line.finish();
    };
    AnswerPrinter printer(style_of_stdout(), show_thinking_, [](std::string_view piece) {
      std::fwrite(piece.data(), 1, piece.size(), stdout);
      std::fflush(stdout);
    });
    bool thought = false;
    const auto print = [&](PartKind kind, std::string_view piece) {
      thought |= kind == PartKind::thinking;
      printer.print(kind, piece);
    };
    if (constraint_) constraint_->reset();
    last_ = {};
    try {
      last_ = conversation_.ask(text, interrupted, print, progress);
    } catch (const Error& e) {
      line.finish();
      std::fprintf(stderr, "loam chat: %s\n", e.what());
      if (e.code == Code::context_full)
        std::fputs("(/undo or /clear makes room; -c asks for a larger context)\n", stderr);
      failed_ = !terminal_;
    }
    line.finish();
    printer.finish();
    std::fputs("\n", stdout);
    std::fflush(stdout);
    if (thought && !printer.answered()) std::fputs("(the model was still thinking)\n", stderr);
    explain();
    clear_interrupt();
  }

  void explain() const {
    if (last_.dropped_turns)
      std::fprintf(stderr, "(the context is full: %d older turn%s dropped)\n", last_.dropped_turns,
                   last_.dropped_turns == 1 ? " was" : "s were");
    if (last_.reason == StopReason::context_full)
      std::fputs("(the context is full: /clear, --context-shift or a larger -c)\n", stderr);
    if (last_.reason == StopReason::time_limit) std::fputs("(stopped by --time-limit)\n", stderr);
    if (last_.reason == StopReason::interrupted && terminal_) std::fputs("(stopped)\n", stderr);
  }

  void print_stats() const {
    std::fprintf(stderr, "prompt  %llu tokens, %.1f tokens/s\nanswer  %llu tokens, %.1f tokens/s\n",
                 (unsigned long long)last_.prefill.tokens, last_.prefill.rate(),
                 (unsigned long long)last_.decode.tokens, last_.decode.rate());
    std::fprintf(stderr, "context %lld tokens held, room for %lld more\nmodel   %s in %s\n",
                 (long long)conversation_.held_tokens(), (long long)conversation_.room(),
                 human_bytes(double(engine_.file->file_bytes())).c_str(), engine_.file->path().c_str());
    for (const std::string& f : engine_.session->executor().fallbacks())
      std::fprintf(stderr, "in the reference backend: %s\n", f.c_str());
  }

  const Arguments& args_;
  const Engine& engine_;
  GrammarConstraint* constraint_;  // of an answer; null: any text
  bool terminal_, show_thinking_, failed_ = false;
  Conversation conversation_;
  AnswerStats last_;
};

}  // namespace

int run_chat(const Arguments& args) {
  check_sampling(args);
  catch_interrupts(style_of_stdout() == AnswerStyle::colour ? "\033[0m" : "");
  Engine engine = open_engine(args);
  engine.session = make_session(args, engine.model);
  const bool terminal = isatty(STDIN_FILENO);
  const std::string own_template(engine.file->chat_template());
  ConversationOptions options{args.has("--template")        ? template_text(args.text("--template"))
                              : args.has("--chat-template") ? args.text("--chat-template")
                                                            : own_template,
                              text_option(args, "--system-prompt"),
                              args.flag("--context-shift"),
                              {}};
  StopMatcher stop(text_options(args, "--stop"));
  options.answer.limit = args.integer("--predict");
  options.answer.seconds = args.number("--time-limit");
  options.answer.stop = &stop;
  const auto constraint = make_constraint(args, *engine.tokenizer, size_t(engine.model->config().vocab));
  options.answer.constraint = constraint.get();
  if (options.chat_template.empty()) {
    std::fprintf(stderr,
                 "%s has no chat template: it is a base model that continues text (--template plain makes it talk)\n",
                 args.model().c_str());
  } else if (terminal) {
    std::fputs("/help lists the commands\n", stderr);
  }
  if (own_template.empty() && options.answer.limit < 0) options.answer.limit = kBaseModelLimit;
  SamplerOptions sampling = sampler_options(args, *engine.tokenizer);
  if (!terminal && !asks_for_chance(args)) sampling.temperature = 0;  // scripts get the same answer every time
  Sampler sampler(sampling);
  return Chat(args, engine, sampler, std::move(options), constraint.get(), terminal).run();
}

}  // namespace loam
