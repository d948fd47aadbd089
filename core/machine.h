// What this process may use of the machine: processors and memory, after affinity masks, cgroups and limits.
#pragma once
#include <cstdint>
#include <string>

namespace loam {

// Limits of this process's cgroups (v1 and v2), the tightest up to the root. What cannot be read sets no limit.
struct CgroupLimits {
  double processors = 0;              // of the quota; 0: none
  uint64_t memory_left = UINT64_MAX;  // bytes until the memory limit, page cache counted as free
};
CgroupLimits cgroup_limits(const std::string& root = "");  // root: where proc and sys lie, for tests

// Processors of the affinity mask (and so of the cpuset): more threads never run at once.
int allowed_processors();

// Threads that make sense here: processors of the affinity mask, and no more than the quota pays for (rounded).
int usable_processors();

// Bytes that this process can still take before it is refused or killed, and what sets that limit.
struct AvailableMemory {
  uint64_t bytes = UINT64_MAX;
  const char* limit = "the machine";
};
AvailableMemory available_memory();

// Error{out_of_memory} where `bytes` for `what` are more than was free.
void require_memory(uint64_t bytes, const AvailableMemory& free, const char* what);

}  // namespace loam
