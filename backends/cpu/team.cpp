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

int64_t Signal::wait_for(uint32_t least, int64_t spin) {
  const auto arrived = [&] { return int32_t(value() - least) >= 0; };
  if (arrived()) return 0;
  int64_t now = stamp_now();
  for (const int64_t end = now + spin; now < end; now = stamp_now()) {
    for (int i = 0; i < 32; ++i) {
      pause_briefly();
      if (arrived()) return 0;
    }
  }
  ++sleepers_;
  for (uint32_t seen; int32_t((seen = value_.load()) - least) < 0;) value_.wait(seen);
  --sleepers_;
  return stamp_now() - now;
}

// A processor that others want too may leave a helper with its chunk for long. Where the caller slept for more than
// half of the time, half of the threads would have been as fast; now and then more are tried again.
void Crew::learn(int used, int wanted, int64_t slept, int64_t lasted) {
  asleep = asleep / 4 * 3 + slept;
  all = all / 4 * 3 + lasted;
  const int before = threads;
  if (used > 1 && asleep > all / 2) {
    threads = used / 2;
    rest = next_rest;
    next_rest = next_rest < kLongestRest ? 2 * next_rest : kLongestRest;
  } else if (used == wanted) {
    next_rest = next_rest > kShortestRest ? next_rest - 1 : kShortestRest;
  } else if (--rest <= 0) {
    threads = 2 * used;
    rest = next_rest;
  }
  if (threads != before) asleep = all = 0;
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
  if (helpers_.empty()) process_ = getpid();
  if (process_ != getpid()) return;
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

// Takes at most `most` chunks from `first` on; returns how many.
uint32_t Team::take(Phase& phase, uint32_t run, uint32_t chunks, uint32_t most, uint32_t& first) {
  uint64_t seen = phase.left.load(std::memory_order_relaxed);
  while (true) {
    const uint32_t of = uint32_t(seen >> 32), left = of == run ? uint32_t(seen) : chunks;  // the first starts the count
    if (left == 0 || int32_t(of - run) > 0) return 0;
    const uint32_t count = left < most ? left : most;
    first = chunks - left;
    if (phase.left.compare_exchange_weak(seen, tagged(run, left - count), std::memory_order_relaxed)) return count;
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

int64_t Team::walk(uint32_t run, int thread) {
  const Work work = work_.load(std::memory_order_relaxed);
  void* const context = context_.load(std::memory_order_relaxed);
  PhaseStamp* const stamps = stamps_.load(std::memory_order_relaxed);
  const int64_t spin = spin_.load(std::memory_order_relaxed);
  const uint32_t threads = uint32_t(threads_.load(std::memory_order_relaxed));
  const uint32_t before = (run - 1) * uint32_t(phases_.size());  // phases of all runs before
  int64_t asleep = 0;
  for (size_t p = 0; p < phases_.size(); ++p) {
    const uint64_t tagged_chunks = chunks_[p].load(std::memory_order_relaxed);
    const uint32_t chunks = uint32_t(tagged_chunks);
    if (uint32_t(tagged_chunks >> 32) != run) break;  // this run is over
    if (chunks == 0) continue;
    const int64_t begin = stamps ? stamp_now() : 0;
    uint32_t done = 0, first = 0, share = chunks / (2 * threads);  // half of the chunks at once, the others one by one
    while (const uint32_t count = take(phases_[p], run, chunks, share > 1 ? share : 1, first)) {
      for (uint32_t i = 0; i < count; ++i) work(context, p, first + i, thread);
      done += count, share = 1;
    }
    if (stamps && done) stamps[size_t(thread) * phases_.size() + p] = {begin, stamp_now()};
    if (done && finish(phases_[p], run, done, chunks))
      progress_.set(before + uint32_t(p) + 1);
    else
      asleep += progress_.wait_for(before + uint32_t(p) + 1, spin);
  }
  return asleep;
}

void Team::run(int wanted, Work work, void* context) {
  if (int(helpers_.size()) + 1 < wanted) start(wanted - 1);
  const int threads = wanted < 1 ? 1 : wanted < crew_.threads ? wanted : crew_.threads;
  work_.store(work, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  threads_.store(threads, std::memory_order_relaxed);
  const uint32_t run = run_.value() + 1;
  for (size_t p = 0; p < wanted_.size(); ++p) chunks_[p].store(tagged(run, wanted_[p]), std::memory_order_relaxed);
  const int64_t begin = stamp_now();
  run_.set(run);
  const int64_t asleep = walk(run, 0);
  crew_.learn(threads, wanted, asleep, stamp_now() - begin);
}

}  // namespace loam::cpu
