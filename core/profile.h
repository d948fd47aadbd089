// Where the time of runs goes: a profile that hangs on a Run is filled by the backends that can, one entry per phase.
#pragma once
#include <string_view>
#include <vector>

namespace loam {

class Profile {
 public:
  struct Phase {
    int node = 0;                 // of the graph
    std::string_view name;        // static; empty: the op itself
    std::vector<double> busy;     // of each run: seconds of the slowest thread
    std::vector<double> waiting;  // seconds that passed besides: starting threads, barriers, threads held up
  };

  void begin_run() { next_ = 0; }
  // The phases of a run in their order, which is the same in every run.
  void add(int node, std::string_view name, double busy, double waiting) {
    if (next_ == phases_.size()) phases_.push_back({node, name, {}, {}});
    phases_[next_].busy.push_back(busy);
    phases_[next_++].waiting.push_back(waiting);
  }
  const std::vector<Phase>& phases() const { return phases_; }

 private:
  std::vector<Phase> phases_;
  size_t next_ = 0;
};

}  // namespace loam
