#include "core/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "core/error.h"

namespace loam {
namespace {

constexpr size_t kMostBytes = 1 << 20, kMostLevels = 64;  // of a file that may be anything; of nested cgroups

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::string text(kMostBytes, '\0');
  file.read(text.data(), std::streamsize(text.size()));
  text.resize(size_t(std::max<std::streamsize>(0, file.gcount())));
  return text;
}

// The number at the start of a text, or 0 ("max", garbage).
double number(const std::string& text) {
  std::istringstream in(text);
  double value = 0;
  return in >> value && value > 0 ? std::min(value, 1e19) : 0;
}

// The value of "name value" or "name: value kB" in a list of lines.
double named_number(const std::string& text, const std::string& name) {
  for (size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size()) + 1) {
    if (text.compare(at, name.size() + 1, name + " ") == 0) return number(text.substr(at + name.size(), 40));
  }
  return 0;
}

bool lists(const std::string& names, const std::string& name) {
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

// Folders of this process's cgroup and its ancestors in the hierarchy of a controller; empty: of version 2. In a
// container the path may name folders outside of it; those are not found, and the walk ends at the container's own.
std::vector<std::string> cgroup_folders(const std::string& root, const std::string& controller) {
  std::string line, path, mount;
  for (std::istringstream in(contents(root + "/proc/self/cgroup")); std::getline(in, line);) {  // id:controllers:path
    const size_t a = line.find(':'), b = a == std::string::npos ? a : line.find(':', a + 1);
    if (b == std::string::npos) continue;
    const std::string names = line.substr(a + 1, b - a - 1);
    if (controller.empty() ? names.empty() : lists(names, controller)) path = line.substr(b + 1);
  }
  for (std::istringstream in(contents(root + "/proc/self/mountinfo")); std::getline(in, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line), after(line.substr(dash + 3));
    std::string skip, place, type, options;
    before >> skip >> skip >> skip >> skip >> place;
    after >> type >> skip >> options;
    if (controller.empty() ? type == "cgroup2" : type == "cgroup" && lists(options, controller)) mount = place;
  }
  std::vector<std::string> folders;
  if (mount.empty()) return folders;
  while (folders.size() < kMostLevels) {
    folders.push_back(root + mount + path + "/");
    if (path.empty()) break;
    path.erase(std::min(path.rfind('/'), path.size() - 1));
  }
  return folders;
}

void limit_processors(double quota, double period, CgroupLimits& limits) {
  if (quota <= 0 || period <= 0) return;  // none
  const double count = quota / period;
  limits.processors = limits.processors > 0 ? std::min(limits.processors, count) : count;
}

void limit_memory(double most, double used, const std::string& stat, const char* cached_names[2],
                  CgroupLimits& limits) {
  if (most <= 0) return;
  for (int i = 0; i < 2; ++i) used -= named_number(stat, cached_names[i]);
  const double left = std::max(0.0, most - std::max(0.0, used));
  if (left < 1e18) limits.memory_left = std::min(limits.memory_left, uint64_t(left));
}

}  // namespace

CgroupLimits cgroup_limits(const std::string& root) {
  CgroupLimits limits;
  const char* cached[] = {"inactive_file", "active_file"};
  const char* cached_below[] = {"total_inactive_file", "total_active_file"};
  for (const std::string& folder : cgroup_folders(root, "")) {
    const std::string max = contents(folder + "cpu.max");  // "150000 100000" or "max 100000"
    limit_processors(number(max), number(max.substr(std::min(max.find(' '), max.size()))), limits);
    limit_memory(number(contents(folder + "memory.max")), number(contents(folder + "memory.current")),
                 contents(folder + "memory.stat"), cached, limits);
  }
  for (const std::string& folder : cgroup_folders(root, "cpu"))
    limit_processors(number(contents(folder + "cpu.cfs_quota_us")), number(contents(folder + "cpu.cfs_period_us")),
                     limits);
  for (const std::string& folder : cgroup_folders(root, "memory"))
    limit_memory(number(contents(folder + "memory.limit_in_bytes")), number(contents(folder + "memory.usage_in_bytes")),
                 contents(folder + "memory.stat"), cached_below, limits);
  return limits;
}

int allowed_processors() {
  int count = int(std::thread::hardware_concurrency());
  for (int most = 1024; most <= 1 << 16; most *= 4) {  // the kernel refuses masks smaller than its own
    cpu_set_t* set = CPU_ALLOC(size_t(most));
    const size_t bytes = CPU_ALLOC_SIZE(size_t(most));
    const bool known = set && sched_getaffinity(0, bytes, set) == 0;
    if (known) count = CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (known) break;
  }
  return std::max(1, count);
}

int usable_processors() {
  const int count = allowed_processors();
  const double quota = cgroup_limits().processors;
  return quota > 0 ? std::max(1, int(std::min(double(count), quota + 0.5))) : count;
}

AvailableMemory available_memory() {
  AvailableMemory found;
  const auto limit = [&found](double bytes, const char* name) {
    if (bytes < 1e18 && uint64_t(std::max(0.0, bytes)) < found.bytes) found = {uint64_t(std::max(0.0, bytes)), name};
  };
  const std::string machine = contents("/proc/meminfo"), own = contents("/proc/self/statm");
  if (const double free = named_number(machine, "MemAvailable:"); free > 0)
    limit((free + named_number(machine, "SwapFree:")) * 1024, "the machine");
  limit(double(cgroup_limits().memory_left), "the cgroup");
  double pages[6] = {};  // all, resident, shared, text, library, data
  std::istringstream in(own);
  for (double& p : pages) in >> p;
  const double page = double(sysconf(_SC_PAGESIZE));
  rlimit most;
  if (getrlimit(RLIMIT_AS, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
    limit(double(most.rlim_cur) - pages[0] * page, "the process's address space (ulimit -v)");
  if (getrlimit(RLIMIT_DATA, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
    limit(double(most.rlim_cur) - pages[5] * page, "the process's data (ulimit -d)");
  return found;
}

void require_memory(uint64_t bytes, const AvailableMemory& free, const char* what) {
  if (bytes <= free.bytes) return;
  fail(Code::out_of_memory,
       "%s needs %.1f MiB of memory, and %s has %.1f MiB left: ask for less context (-c), smaller "
       "batches (-b) or fewer threads (-t), or raise the limit",
       what, double(bytes) / 1048576, free.limit, double(free.bytes) / 1048576);
}

}  // namespace loam
