// Processors and memory of this process: cgroups of both versions, nested, garbled and missing, from made folders.
#include <doctest/doctest.h>
#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "backends/cpu/cpu.h"
#include "core/executor.h"
#include "core/machine.h"

using namespace loam;

namespace {

// A root with the files given as path, content.
struct Root {
  std::string path;
  explicit Root(const std::vector<std::pair<std::string, std::string>>& files) {
    char name[] = "/tmp/loam_machine_XXXXXX";
    path = mkdtemp(name);
    for (const auto& [file, text] : files) {
      std::filesystem::create_directories(std::filesystem::path(path + file).parent_path());
      std::ofstream(path + file) << text;
    }
  }
  ~Root() { std::filesystem::remove_all(path); }
};

const std::string kV2 = "36 25 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
const std::string kV1 =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
    "rw,cpu,cpuacct\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

CgroupLimits version_2(const std::string& file, const std::string& text) {
  const Root root(
      {{"/proc/self/cgroup", "0::/a/b\n"}, {"/proc/self/mountinfo", kV2}, {"/sys/fs/cgroup/a/" + file, text}});
  return cgroup_limits(root.path);
}

}  // namespace

TEST_CASE("machine: quotas of cgroup version 2") {
  CHECK(version_2("cpu.max", "150000 100000\n").processors == 1.5);
  CHECK(version_2("b/cpu.max", "50000 100000\n").processors == 0.5);
  for (const char* none : {"max 100000\n", "", "\n", "-1 100000", "5 0", "5", "nan nan", "x y", "inf inf", "1e400 1"}) {
    CAPTURE(none);
    CHECK(version_2("cpu.max", none).processors == 0);
  }
  CHECK(version_2("cpu.max", std::string(3 << 20, 'z')).processors == 0);
  const Root nested({{"/proc/self/cgroup", "1:name=systemd:/x\n0::/a/b\n"},
                     {"/proc/self/mountinfo", kV2},
                     {"/sys/fs/cgroup/cpu.max", "max 100000"},
                     {"/sys/fs/cgroup/a/cpu.max", "200000 100000"},
                     {"/sys/fs/cgroup/a/b/cpu.max", "400000 100000"}});
  CHECK(cgroup_limits(nested.path).processors == 2);  // the tightest
}

TEST_CASE("machine: quotas of cgroup version 1, in a container's view too") {
  const std::string cgroup = "5:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n0::/\n";
  const Root root({{"/proc/self/cgroup", cgroup},
                   {"/proc/self/mountinfo", kV1},
                   {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n"},  // the folder docker/1f is not visible
                   {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}});
  CHECK(cgroup_limits(root.path).processors == 3);
  const Root none({{"/proc/self/cgroup", cgroup},
                   {"/proc/self/mountinfo", kV1},
                   {"/sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_quota_us", "-1\n"},
                   {"/sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_period_us", "100000\n"}});
  CHECK(cgroup_limits(none.path).processors == 0);
}

TEST_CASE("machine: memory limits count page cache as free") {
  const Root two({{"/proc/self/cgroup", "0::/a\n"},
                  {"/proc/self/mountinfo", kV2},
                  {"/sys/fs/cgroup/a/memory.max", "1000000\n"},
                  {"/sys/fs/cgroup/a/memory.current", "600000\n"},
                  {"/sys/fs/cgroup/a/memory.stat", "anon 100000\ninactive_file 300000\nactive_file 100000\n"}});
  CHECK(cgroup_limits(two.path).memory_left == 800000);
  const Root one({{"/proc/self/cgroup", "5:memory:/docker/1f\n"},
                  {"/proc/self/mountinfo", kV1},
                  {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
                  {"/sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "1000\n"},
                  {"/sys/fs/cgroup/memory/docker/1f/memory.usage_in_bytes", "5000\n"}});
  CHECK(cgroup_limits(one.path).memory_left == 0);
  CHECK(version_2("memory.max", "max\n").memory_left == UINT64_MAX);
  CHECK(version_2("memory.max", "lots\n").memory_left == UINT64_MAX);
}

TEST_CASE("machine: garbled and missing files set no limit") {
  for (const char* cgroup : {"", ":", "::", "0:", "0::", "0::/a/../..", "1:cpu", "\n\n:::::\n", "0::relative"}) {
    for (const std::string& mounts : {std::string(), std::string(" - "), std::string("1 2 3 - cgroup2"), kV1, kV2}) {
      CAPTURE(cgroup);
      CAPTURE(mounts);
      const Root root({{"/proc/self/cgroup", cgroup}, {"/proc/self/mountinfo", mounts}});
      const CgroupLimits found = cgroup_limits(root.path);
      CHECK(found.processors == 0);
      CHECK(found.memory_left == UINT64_MAX);
    }
  }
  CHECK(cgroup_limits("/nonexistent").processors == 0);
  std::string deep = "0::";
  for (int i = 0; i < 10000; ++i) deep += "/a";
  const Root root({{"/proc/self/cgroup", deep}, {"/proc/self/mountinfo", kV2}, {"/sys/fs/cgroup/cpu.max", "max 1"}});
  CHECK(cgroup_limits(root.path).processors == 0);
}

TEST_CASE("machine: the affinity mask decides the threads") {
  CHECK(usable_processors() >= 1);
  CHECK(allowed_processors() >= usable_processors());
  int found = 0;
  std::thread([&] {
    cpu_set_t set, one;
    sched_getaffinity(0, sizeof set, &set);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
      if (CPU_ISSET(i, &set)) CPU_SET(i, &one);
    }
    sched_setaffinity(0, sizeof one, &one);
    found = usable_processors() + allowed_processors();
  }).join();
  CHECK(found == 2);
}

TEST_CASE("machine: more memory than there is is refused before it is touched") {
  const AvailableMemory free = available_memory();
  CHECK(free.bytes > 0);
  require_memory(free.bytes, free, "a test");
  Graph graph;
  graph.output(graph.add(Activate{}, {graph.input(16)})[0]);
  graph.state({KvType::f16, 1, 64});
  const Executor small(graph, {{make_cpu_backend(1)}, {}}, 4);
  CHECK(small.memory() > 4 * graph.states()[0].page_bytes());
  try {
    const Executor large(graph, {{make_cpu_backend(1)}, {}}, free.bytes / graph.states()[0].page_bytes() * 2);
    CHECK(false);
  } catch (const Error& e) {
    CHECK(e.code == Code::out_of_memory);
    const std::string text = e.what();
    for (const char* part : {"a session of this context needs", "MiB left", "less context"})
      CHECK(text.find(part) != text.npos);
  }
}
