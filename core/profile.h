// Where the time of runs goes: a profile that hangs on a Run is filled by the backends that can, one entry per phase.
#pragma once
#include <string_view>
#include <vector>

namespace loam {

class Profile {
 public:
  struct Phase {
    int node = 0;           // of the graph
    std::string_view name;  // static; empty: the op itself
    double busy = 0;        // seconds of the slowest thread
    double waiting = 0;     // seconds that passed besides: starting threads, barriers, threads that were held up
  };

  void begin_run() { next_ = 0, ++runs_; }
  // The phases of a run in their order, which is the same in every run; times add up.
  void add(int node, std::string_view name, double busy, double waiting) {
    if (next_ == phases_.size()) phases_.push_back({node, name, 0, 0});
    phases_[next_].busy += busy;
    phases_[next_++].waiting += waiting;
  }
  const std::vector<Phase>& phases() const { return phases_; }
  size_t runs() const { return runs_; }

 private:
  std::vector<Phase> phases_;
  size_t next_ = 0, runs_ = 0;
};

}  // namespace loam
