// The one program: finds the command, parses its options and turns errors into one line and an exit code.
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "core/error.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"

namespace loam {
namespace {

int print_help() {
  std::printf("usage: loam COMMAND [OPTIONS]\n\n");
  for (const Command& c : all_commands())
    std::printf("  %-9.*s %.*s\n", int(c.name.size()), c.name.data(), int(c.help.size()), c.help.data());
  std::printf(
      "\nloam COMMAND --help tells a command's options; loam --version the version.\n"
      "Exit codes: 0 ok, 1 failure, 2 wrong usage, 130 interrupted.\n");
  return kExitOk;
}

int print_help(const Command& c) {
  std::printf("usage: loam %.*s %.*s [OPTIONS]\n%.*s\n", int(c.name.size()), c.name.data(), int(c.plain.size()),
              c.plain.data(), int(c.help.size()), c.help.data());
  const std::string options = describe(c.options);
  std::printf("\n%s", options.c_str());
  return kExitOk;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string_view> known;
  for (const Command& c : all_commands()) {
    if (c.name == name) return c;
    known.push_back(c.name);
  }
  const std::string_view near = nearest(name, known);
  const char* kind = name[0] == '-' ? "flag" : "command";
  throw UsageError(std::string("unknown ") + kind + " '" + name + "'" +
                   (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
}

int run_program(const std::vector<std::string>& words, std::string& who) {
  if (words.empty()) {
    print_help();
    return kExitUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return print_help();
  if (words[0] == "--version") return std::printf("loam %s\n", LOAM_VERSION), kExitOk;
  const Command& command = find_command(words[0]);
  who += " " + words[0];
  for (size_t i = 1; i < words.size() && words[i] != "--"; i++)
    if (words[i] == "--help" || words[i] == "-h") return print_help(command);
  return command.run(parse_arguments(std::span(words).subspan(1), command.options, command.least, command.most));
}

int complain(const std::string& who, const char* what, int code) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n", who.c_str(), what);
  return code;
}

}  // namespace
}  // namespace loam

int main(int argc, char** argv) {
  using namespace loam;
  std::string who = "loam";
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(2) like a full disk
  try {
    const int code = run_program({argv + 1, argv + argc}, who);
    if ((std::fflush(stdout) != 0 || std::ferror(stdout)) && code == kExitOk)
      return complain(who, "cannot write to standard output", kExitFailure);
    return code;
  } catch (const UsageError& e) {
    return complain(who, (std::string(e.what()) + " (" + who + " --help lists all)").c_str(), kExitUsage);
  } catch (const Error& e) {
    if (e.code == Code::cancelled && interrupted()) return complain(who, "interrupted", kExitInterrupted);
    return complain(who, e.what(), kExitFailure);
  } catch (const std::bad_alloc&) {
    return complain(who, "not enough memory: ask for less context (-c) or smaller batches (-b), or raise the limit",
                    kExitFailure);
  } catch (const std::exception& e) {
    return complain(who, e.what(), kExitFailure);
  }
}
