// Runs the tests: each repetition right after the probes of the same threads.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/model.h"
#include "tools/bench/result.h"
#include "tools/cli/args.h"

namespace loam {

// "128,512" as numbers from `least` to 9999999; empty text: none. UsageError names the flag.
std::vector<int64_t> parse_list(const std::string& text, const char* flag, int64_t least);

// What the command line asks for, in order: for each number of threads the prompts, then the decodes by depth and
// batch.
std::vector<BenchTest> bench_tests(const Arguments& args);

// Called after every repetition.
using BenchTick = std::function<void()>;

// Error{cancelled} after Ctrl-C. With --profile one more round of repetitions is taken apart.
BenchResult measure(const Arguments& args, std::shared_ptr<const Model> model, const BenchTest& test,
                    const BenchTick& tick);

}  // namespace loam
