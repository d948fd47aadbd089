// The instruction sets whose kernels can run here.
#pragma once
#include "backends/cpu/detect.h"

namespace loam {

#if defined(__x86_64__)
namespace cpu::avxvnni_evex {
extern const KernelTable table;  // AVX-VNNI's kernels with AVX-512's encoding of vpdpbusd
}
#endif

// Those of this machine, and AVX-VNNI's in the other encoding.
inline std::vector<const cpu::KernelTable*> tested_tables() {
  std::vector<const cpu::KernelTable*> all = cpu::available_tables();
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
    all.push_back(&cpu::avxvnni_evex::table);
#endif
  return all;
}

}  // namespace loam
