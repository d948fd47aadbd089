// What was measured: as a table for people, as JSON, and two files of it compared.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/bench/cost.h"

namespace loam {

struct BenchTest {
  int64_t prompt = 0;  // tokens read at once; 0: tokens are decoded
  int64_t decode = 0;  // steps of one token per sequence
  int64_t batch = 1;   // sequences decoded at once
  int64_t depth = 0;   // positions that each sequence holds before
  int threads = 1;

  int64_t tokens() const { return prompt ? prompt : decode * batch; }
  std::string name() const;  // "pp512", "tg64", "tg64 b8 d8192"
};

struct ProfileLine {
  std::string what;
  double seconds = 0;  // per step
  double least = 0;    // what the machine needs; 0: no limit is known
  std::string limit;   // int8, f32 or read
};

struct BenchResult {
  std::string model, isa, test;
  int threads = 1;
  std::vector<double> rates;   // tokens per second, one per repetition
  std::vector<double> shares;  // of the machine's bound, measured right before each
  Limits limits;               // medians
  double bound = 0;            // tokens per second, the median
  std::vector<ProfileLine> profile;
};

std::string describe_results(const std::vector<BenchResult>& results);
std::string describe_profile(const BenchResult& result);

std::string to_json(const std::vector<BenchResult>& results);
// Of a file that --json wrote; Error{bad_file} says what is wrong.
std::vector<BenchResult> parse_results(const std::string& json, const std::string& path);
std::vector<BenchResult> read_results(const std::string& path);

// Test by test how much faster b is than a, in tokens per second and in shares of the machine's bounds.
std::string describe_comparison(const std::vector<BenchResult>& a, const std::vector<BenchResult>& b);

}  // namespace loam
