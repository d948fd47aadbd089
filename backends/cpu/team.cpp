#include "backends/cpu/team.h"

#include <omp.h>

#include <chrono>

namespace loam::cpu {
namespace {

constexpr auto kSpin = std::chrono::microseconds(40);  // then sleep: another process may need this processor

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

// The next chunk of this run, or one at or beyond the last.
int64_t Team::take(Phase& phase, uint32_t generation) {
  uint64_t seen = phase.next.load(std::memory_order_relaxed);
  while (uint32_t(seen >> 32) != generation) {  // the first thread here starts the count
    if (phase.next.compare_exchange_weak(seen, uint64_t(generation) << 32 | 1, std::memory_order_relaxed)) return 0;
  }
  if (uint32_t(seen) >= phase.chunks) return phase.chunks;
  return int64_t(uint32_t(phase.next.fetch_add(1, std::memory_order_relaxed)));
}

void Team::wait(Phase& phase) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  uint32_t seen;
  while ((seen = phase.done.load(std::memory_order_acquire)) != phase.target) {
    for (int i = 0; i < 64; ++i) {
      pause_briefly();
      if (phase.done.load(std::memory_order_acquire) == phase.target) return;
    }
    if (std::chrono::steady_clock::now() > end) phase.done.wait(seen, std::memory_order_acquire);
  }
}

void Team::work_together(const Job& job, int thread) {
  for (size_t p = 0; p < phases_.size(); ++p) {
    Phase& phase = phases_[p];
    if (phase.chunks == 0) continue;
    const int64_t begin = stamps_ ? stamp_now() : 0;
    uint32_t count = 0;
    for (int64_t chunk; (chunk = take(phase, job.generation)) < int64_t(phase.chunks); ++count)
      job.work(job.context, p, chunk, thread);
    if (stamps_ && count) stamps_[size_t(thread) * phases_.size() + p] = {begin, stamp_now()};
    if (count && phase.done.fetch_add(count, std::memory_order_acq_rel) + count == phase.target)
      phase.done.notify_all();
    else
      wait(phase);
  }
}

void Team::work_alone(const Job& job) {
  for (size_t p = 0; p < phases_.size(); ++p) {
    const int64_t begin = stamps_ ? stamp_now() : 0;
    for (uint32_t chunk = 0; chunk < phases_[p].chunks; ++chunk) job.work(job.context, p, chunk, 0);
    if (stamps_ && phases_[p].chunks) stamps_[p] = {begin, stamp_now()};
    phases_[p].done.store(phases_[p].target, std::memory_order_relaxed);
  }
}

void Team::enter(const Job& job, int thread, int threads) {
  begun_.load(std::memory_order_acquire);
  if (threads == 1)
    work_alone(job);
  else
    work_together(job, thread);
  left_.fetch_add(1, std::memory_order_release);
}

void Team::run(int threads, Work work, void* context) {
  const Job job{this, work, context, ++generation_};
  for (Phase& phase : phases_) phase.target += phase.chunks;
  if (threads <= 1) return work_alone(job);
  begun_.store(job.generation, std::memory_order_release);
#pragma omp parallel num_threads(threads) firstprivate(job)
  job.team->enter(job, omp_get_thread_num(), omp_get_num_threads());  // the team may be smaller than asked
  left_.load(std::memory_order_acquire);
}

}  // namespace loam::cpu
