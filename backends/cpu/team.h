// Threads that walk a list of phases together (SPMD). A phase is over when its chunks are done, and a run with its last
// phase, not when every thread has arrived: a thread that another process holds up stops nobody unless it has a chunk.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "backends/cpu/phase_times.h"

namespace loam::cpu {

// A number that threads wait for: they look at it for a while and then sleep.
class Signal {
 public:
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  void set(uint32_t value);  // and wakes who sleeps
  // Until value() is at or beyond this, modulo 2^32; looks for `spin` nanoseconds. Returns nanoseconds slept.
  int64_t wait_for(uint32_t least, int64_t spin);

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<int> sleepers_{0};
};

// How many threads are worth it: fewer while waiting for them takes longer than working without them would.
struct Crew {
  static constexpr int kShortestRest = 8, kLongestRest = 256;  // runs until more are tried again
  int threads = 1 << 30;                                       // at most
  int rest = 0, next_rest = kShortestRest;
  int64_t asleep = 0, all = 0;  // nanoseconds of the last runs: the caller slept in them; they lasted

  // After a run on `used` threads where `wanted` were asked for.
  void learn(int used, int wanted, int64_t slept, int64_t lasted);
};

class Team {
 public:
  // For lists of so many phases; made once, used by many runs. Threads start with the first run that wants them.
  explicit Team(size_t phases) : wanted_(phases), phases_(phases), chunks_(phases) {}
  ~Team();

  // What a run calls: chunk of phase, on thread (0 .. threads - 1; 0 is the caller's).
  using Work = void (*)(void* context, size_t phase, int64_t chunk, int thread);

  // Before a run, for every phase that changes: its chunks (fewer than 2^31; 0 skips the phase).
  void set_chunks(size_t phase, int64_t chunks) { wanted_[phase] = uint32_t(chunks); }

  // Where the next runs leave their stamps, [thread][phase], or null: they take none.
  void set_stamps(PhaseStamp* stamps) { stamps_.store(stamps, std::memory_order_relaxed); }

  // Runs all chunks of all phases in order on at most `threads` threads. One run at a time.
  void run(int threads, Work work, void* context);

 private:
  // Counters of one phase on a line of their own, tagged with their run: a thread that is late changes nothing.
  struct alignas(128) Phase {
    std::atomic<uint64_t> left{0}, done{0};  // chunks that nobody has taken; that are done
  };
  static uint64_t tagged(uint32_t run, uint32_t count) { return uint64_t(run) << 32 | count; }

  void start(int helpers);
  void help(int thread);
  int64_t walk(uint32_t run, int thread);  // returns nanoseconds slept
  static uint32_t take(Phase& phase, uint32_t run, uint32_t chunks, uint32_t most, uint32_t& first);
  static bool finish(Phase& phase, uint32_t run, uint32_t done, uint32_t chunks);

  std::vector<uint32_t> wanted_;  // chunks of each phase
  std::vector<Phase> phases_;
  std::vector<std::atomic<uint64_t>> chunks_;  // of each phase, tagged with the run
  // Of this run; atomic for threads that are late, which then find no chunk.
  std::atomic<int> threads_{1};  // kStop: there will be no more
  std::atomic<Work> work_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<PhaseStamp*> stamps_{nullptr};
  std::atomic<int64_t> spin_{0};
  alignas(128) Signal run_;       // which run this is
  alignas(128) Signal progress_;  // phases over in all runs
  Crew crew_;
  std::vector<std::thread> helpers_;
  int process_ = 0;  // that has them
};

}  // namespace loam::cpu
