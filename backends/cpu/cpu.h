// The CPU backend: vector kernels chosen at run time, and a team of threads.
#pragma once
#include <memory>
#include <string>

#include "core/backend.h"

namespace loam {

struct CpuOptions {
  int threads = 0;     // at most as many as processors in the affinity mask; 0: as many as this process may use
  std::string isa;     // of cpu_instruction_sets; empty: the environment's LOAM_CPU_ISA, else the best of this machine
  bool crowd = false;  // as many threads as asked for, even if there are fewer processors: for tests
};

// The name is "cpu/" and the instruction set.
std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options = {});
inline std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return make_cpu_backend(CpuOptions{threads, "", false});
}

// Instruction sets that run here, best first: of scalar, avx2, avxvnni, avx512, neon, i8mm.
std::vector<std::string> cpu_instruction_sets();

}  // namespace loam
