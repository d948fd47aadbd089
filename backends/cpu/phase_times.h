// The stamps that a team leaves while it is profiled, and what they add up to.
#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

namespace loam::cpu {

// Of one thread in one phase of one run, in nanoseconds: when it came, and when its last chunk was done; 0: it had
// none.
struct PhaseStamp {
  int64_t begin = 0, end = 0;
};

inline int64_t stamp_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// add(phase, busy, waiting) for every phase of a run that began and ended at these times, in seconds. A phase lasts
// from the end of the one before to the end of its own last chunk; its busy time is that of its slowest thread.
template <class Add>
void sum_phase_times(const std::vector<PhaseStamp>& stamps, size_t phases, int64_t begin, int64_t end, const Add& add) {
  int64_t last = begin;
  for (size_t p = 0; p < phases; ++p) {
    int64_t busy = 0, done = last;
    for (size_t i = p; i < stamps.size(); i += phases) {  // [thread][phase]
      busy = stamps[i].end - stamps[i].begin > busy ? stamps[i].end - stamps[i].begin : busy;
      done = stamps[i].end > done ? stamps[i].end : done;
    }
    if (p + 1 == phases) done = end;
    const int64_t waiting = done - last - busy;
    add(p, 1e-9 * double(busy), waiting > 0 ? 1e-9 * double(waiting) : 0);
    last = done;
  }
}

}  // namespace loam::cpu
