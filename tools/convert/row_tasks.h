// Work over the row blocks of many tensors with all threads.
#pragma once
#include <functional>
#include <vector>

#include "formats/progress.h"

namespace loam {

// Some consecutive row blocks of one tensor (or a whole vector, as one block).
struct RowTask {
  size_t tensor = 0;
  int64_t first_block = 0, blocks = 0;
  uint64_t weight = 0;  // bytes, for progress
};

// Calls work(index of task) for all, in any order, on `threads` threads (0: one per core). The first exception ends it
// and is thrown here; so does progress, with Error{cancelled}.
void run_tasks(const std::vector<RowTask>& tasks, int threads, const Progress& progress,
               const std::function<void(size_t)>& work);

}  // namespace loam
