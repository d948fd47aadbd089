// One test's session: its sequences at their depth, and a repetition.
#pragma once
#include <memory>
#include <vector>

#include "core/profile.h"
#include "core/session.h"
#include "core/text/sampler.h"
#include "tools/bench/result.h"
#include "tools/cli/args.h"

namespace loam {

class BenchRun {
 public:
  BenchRun(const Arguments& args, std::shared_ptr<const Model> model, const BenchTest& test);

  double seconds();       // of one repetition
  Step step() const;      // the prompt, or the middle one of the steps
  int64_t steps() const;  // in a repetition
  const Graph& graph() const { return session_->executor().graph(); }
  // The machine's limits now, and `calm` ones, without interruptions.
  std::pair<Limits, Limits> probe() const;
  std::string isa() const;  // "avx512"
  // Medians over all steps of so many repetitions, with the choice of a token after each decoding step.
  std::vector<ProfileLine> profile(int64_t repetitions, const Limits& limits);

 private:
  void decode(const std::vector<BatchRow>& rows);
  void fill();
  std::vector<ProfileLine> lines_of(const Profile& profile, const Limits& limits) const;

  std::shared_ptr<const Model> model_;
  BenchTest test_;
  std::string isa_;
  std::unique_ptr<Session> session_;
  std::vector<int> sequences_;
  std::vector<Bytes> weights_;
  std::vector<int32_t> history_;
  std::unique_ptr<Sampler> sampler_;         // where choosing is measured too
  std::vector<double> deciding_, decoding_;  // seconds of each step
};

}  // namespace loam
