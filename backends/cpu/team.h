// Threads that walk a list of phases together (SPMD). A phase is over when its chunks are done, not when every thread
// has arrived, so that a thread that another process holds up does not stop the rest.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cpu/phase_times.h"

namespace loam::cpu {

class Team {
 public:
  // One per phase; made once, used by many runs.
  explicit Team(size_t phases) : phases_(phases) {}

  // What a run calls: chunk of phase, on thread (0 .. threads - 1).
  using Work = void (*)(void* context, size_t phase, int64_t chunk, int thread);

  // Before a run, for every phase: its chunks (fewer than 2^31; 0 skips the phase).
  void set_chunks(size_t phase, int64_t chunks) { phases_[phase].chunks = uint32_t(chunks); }

  // Where the next runs leave their stamps, [thread][phase], or null: they take none.
  void set_stamps(PhaseStamp* stamps) { stamps_ = stamps; }

  // Runs all chunks of all phases in order on at most `threads` threads. One run at a time.
  void run(int threads, Work work, void* context);

 private:
  // Counters on lines of their own. They are never reset: a run has its generation, and `done` only grows.
  struct alignas(128) Phase {
    std::atomic<uint64_t> next{0};    // generation << 32 | next chunk
    std::atomic<uint32_t> done{0};    // chunks done in all runs, modulo 2^32
    uint32_t chunks = 0, target = 0;  // of this run; what `done` will be after it
  };

  struct Job {
    Team* team;
    Work work;
    void* context;
    uint32_t generation;
  };

  void enter(const Job& job, int thread, int threads);
  void work_alone(const Job& job);
  void work_together(const Job& job, int thread);
  static int64_t take(Phase& phase, uint32_t generation);
  static void wait(Phase& phase);

  std::vector<Phase> phases_;
  PhaseStamp* stamps_ = nullptr;
  uint32_t generation_ = 0;
  // Order the caller's writes before the threads' reads, and back, for tools that cannot see into OpenMP.
  std::atomic<uint32_t> begun_{0}, left_{0};
};

}  // namespace loam::cpu
