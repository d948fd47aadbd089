#include "tools/convert/row_tasks.h"

#include <atomic>
#include <exception>
#include <mutex>

#include "core/error.h"
#include "core/machine.h"

namespace loam {

void run_tasks(const std::vector<RowTask>& tasks, int threads, const Progress& progress,
               const std::function<void(size_t)>& work) {
  uint64_t total = 0, done = 0;
  for (const RowTask& t : tasks) total += t.weight;
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex mutex;  // not omp critical: an exception must not leave one
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads > 0 ? threads : usable_processors())
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (stop) continue;
    try {
      work(i);
      const std::lock_guard lock(mutex);
      done += tasks[i].weight;
      if (progress && !stop && !progress(done, total)) fail(Code::cancelled, "cancelled");
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      stop = true;
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace loam
