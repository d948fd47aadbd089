// The commands of the program, one folder each in tools/. The table itself stands in commands.cpp.
#pragma once
#include <span>
#include <string_view>

#include "tools/cli/args.h"

namespace loam {

struct Command {
  std::string_view name;
  std::string_view help;                 // one line
  std::string_view plain;                // what the plain arguments are, e.g. "[MODEL]"
  size_t least = 0, most = 0;            // how many of them
  std::span<const OptionGroup> options;  // in the order of --help
  int (*run)(const Arguments&);          // returns the exit code
};

std::span<const Command> all_commands();

int run_chat(const Arguments&);
int run_complete(const Arguments&);
int run_convert(const Arguments&);
int run_inspect(const Arguments&);
int run_verify(const Arguments&);
int run_tokenize(const Arguments&);
int run_template(const Arguments&);
int run_bench(const Arguments&);

}  // namespace loam
