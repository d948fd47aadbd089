#include "backends/cpu/team.h"

#include <unistd.h>

#include <system_error>

#include "core/machine.h"

namespace loam::cpu {
namespace {

// How long to look before sleeping, in nanoseconds: another process may need this processor, and where there are more
// threads than processors another thread does. Sleeping and waking takes some 10 us.
constexpr int64_t kSpin = 40'000, kCrowdedSpin = 2'000;
constexpr int kStop = -1;

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Signal::set(uint32_t value) {
  value_.store(value);  // in one order with sleepers_: either it is seen here, or the value there
  if (sleepers_.load() > 0) value_.notify_all();
}

void Signal::wait_for(uint32_t least, int64_t spin) {
  const auto arrived = [&] { return int32_t(value() - least) >= 0; };
  if (arrived()) return;
  for (const int64_t end = stamp_now() + spin; stamp_now() < end;) {
    for (int i = 0; i < 32; ++i) {
      pause_briefly();
      if (arrived()) return;
    }
  }
  ++sleepers_;
  for (uint32_t seen; int32_t((seen = value_.load()) - least) < 0;) value_.wait(seen);
  --sleepers_;
}

Team::~Team() {
  threads_ = kStop;
  run_.set(run_.value() + 1);
  for (std::thread& helper : helpers_) {
    if (process_ == getpid())
      helper.join();
    else
      helper.detach();  // a forked child has no such threads
  }
}

// Fewer than wanted are as good: chunks wait for nobody in particular.
void Team::start(int helpers) {
  spin_ = helpers < usable_processors() ? kSpin : kCrowdedSpin;
  process_ = getpid();
  try {
    while (int(helpers_.size()) < helpers) helpers_.emplace_back(&Team::help, this, int(helpers_.size()) + 1);
  } catch (const std::system_error&) {
  }
}

void Team::help(int thread) {
  for (uint32_t run = 0;;) {
    run_.wait_for(run + 1, 5 * spin_.load(std::memory_order_relaxed));  // what lies between two tokens
    run = run_.value();
    const int threads = threads_.load(std::memory_order_relaxed);
    if (threads == kStop) return;
    if (thread < threads) walk(run, thread);
  }
}

// The next chunk, or -1.
int64_t Team::take(Phase& phase, uint32_t run, uint32_t chunks) {
  uint64_t seen = phase.left.load(std::memory_order_relaxed);
  while (true) {
    const uint32_t of = uint32_t(seen >> 32), left = of == run ? uint32_t(seen) : chunks;  // the first starts the count
    if (left == 0 || int32_t(of - run) > 0) return -1;
    if (phase.left.compare_exchange_weak(seen, tagged(run, left - 1), std::memory_order_relaxed))
      return int64_t(chunks - left);
  }
}

// Adds to the chunks that are done; whether they are all.
bool Team::finish(Phase& phase, uint32_t run, uint32_t done, uint32_t chunks) {
  uint64_t seen = phase.done.load(std::memory_order_relaxed), sum;
  do {
    sum = uint32_t(seen >> 32) == run ? seen + done : tagged(run, done);
  } while (!phase.done.compare_exchange_weak(seen, sum, std::memory_order_acq_rel));
  return uint32_t(sum) == chunks;
}

void Team::walk(uint32_t run, int thread) {
  const Work work = work_.load(std::memory_order_relaxed);
  void* const context = context_.load(std::memory_order_relaxed);
  PhaseStamp* const stamps = stamps_.load(std::memory_order_relaxed);
  const int64_t spin = spin_.load(std::memory_order_relaxed);
  const uint32_t before = (run - 1) * uint32_t(phases_.size());  // phases of all runs before
  for (size_t p = 0; p < phases_.size(); ++p) {
    const uint64_t tagged_chunks = chunks_[p].load(std::memory_order_relaxed);
    const uint32_t chunks = uint32_t(tagged_chunks);
    if (uint32_t(tagged_chunks >> 32) != run) return;  // this run is over
    if (chunks == 0) continue;
    const int64_t begin = stamps ? stamp_now() : 0;
    uint32_t done = 0;
    for (int64_t chunk; (chunk = take(phases_[p], run, chunks)) >= 0; ++done) work(context, p, chunk, thread);
    if (stamps && done) stamps[size_t(thread) * phases_.size() + p] = {begin, stamp_now()};
    if (done && finish(phases_[p], run, done, chunks))
      progress_.set(before + uint32_t(p) + 1);
    else
      progress_.wait_for(before + uint32_t(p) + 1, spin);
  }
}

void Team::run(int threads, Work work, void* context) {
  if (int(helpers_.size()) + 1 < threads) start(threads - 1);
  work_.store(work, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  threads_.store(threads, std::memory_order_relaxed);
  const uint32_t run = run_.value() + 1;
  for (size_t p = 0; p < wanted_.size(); ++p) chunks_[p].store(tagged(run, wanted_[p]), std::memory_order_relaxed);
  run_.set(run);
  walk(run, 0);
}

}  // namespace loam::cpu
