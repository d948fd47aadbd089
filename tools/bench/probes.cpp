#include "tools/bench/probes.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/host_memory.h"

namespace loam {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

#if defined(__x86_64__)
#define LOAM_DOTS(op, r)                                                                                             \
  op " %%" r "30, %%" r "31, %%" r "0\n\t" op " %%" r "30, %%" r "31, %%" r "1\n\t" op " %%" r "30, %%" r "31, %%" r \
     "2\n\t" op " %%" r "30, %%" r "31, %%" r "3\n\t" op " %%" r "30, %%" r "31, %%" r "4\n\t" op " %%" r "30, %%" r \
     "31, %%" r "5\n\t" op " %%" r "30, %%" r "31, %%" r "6\n\t" op " %%" r "30, %%" r "31, %%" r "7\n\t" op " %%" r \
     "30, %%" r "31, %%" r "8\n\t" op " %%" r "30, %%" r "31, %%" r "9\n\t" op " %%" r "30, %%" r "31, %%" r         \
     "10\n\t" op " %%" r "30, %%" r "31, %%" r "11\n\t"

// Twelve independent dot products a turn; returns operations.
__attribute__((target("avx512f,avx512vnni"))) double vnni_turns(int64_t turns) {
  for (int64_t i = 0; i < turns; ++i) {
    asm volatile(LOAM_DOTS("vpdpbusd", "zmm")::
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11");
  }
  return double(turns) * 12 * 128;
}

// Without VNNI: multiply pairs, add pairs, add; three instructions per 64 operations.
__attribute__((target("avx2"))) double avx2_turns(int64_t turns) {
  for (int64_t i = 0; i < turns; ++i) {
    asm volatile(
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm0\n\t vpmaddwd %%ymm0, %%ymm13, %%ymm0\n\t vpaddd %%ymm0, %%ymm4, %%ymm4\n\t"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm1\n\t vpmaddwd %%ymm1, %%ymm13, %%ymm1\n\t vpaddd %%ymm1, %%ymm5, %%ymm5\n\t"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm2\n\t vpmaddwd %%ymm2, %%ymm13, %%ymm2\n\t vpaddd %%ymm2, %%ymm6, %%ymm6\n\t"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm3\n\t vpmaddwd %%ymm3, %%ymm13, %%ymm3\n\t vpaddd %%ymm3, %%ymm7, "
        "%%ymm7\n\t" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
  }
  return double(turns) * 4 * 64;
}

double dot_turns(int64_t turns) {
  if (__builtin_cpu_supports("avx512vnni")) return vnni_turns(turns);
  return __builtin_cpu_supports("avx2") ? avx2_turns(turns) : 0;
}
#else
double dot_turns(int64_t) { return 0; }
#endif

// Sums a piece so that the compiler has to read it.
uint64_t read_all(const uint64_t* p, size_t words) {
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (size_t i = 0; i + 8 <= words; i += 8) {
    a ^= p[i] + p[i + 1], b ^= p[i + 2] + p[i + 3], c ^= p[i + 4] + p[i + 5], d ^= p[i + 6] + p[i + 7];
  }
  return a ^ b ^ c ^ d;
}

}  // namespace

double int8_peak(int threads) {
  double operations = 0, seconds = 0;
#pragma omp parallel num_threads(threads) reduction(+ : operations) reduction(max : seconds)
  {
    dot_turns(100000);
#pragma omp barrier
    const double start = now();
    operations = dot_turns(2000000);
    seconds = now() - start;
  }
  return seconds > 0 ? operations / seconds / 1e9 : 0;
}

double read_bandwidth(int threads) {
  constexpr size_t kBytes = size_t(256) << 20;
  static HostBuffer buffer(kBytes);
  static const bool touched = (std::memset(buffer.host(), 1, kBytes), true);
  (void)touched;
  double seconds = 0;
  uint64_t sink = 0;
#pragma omp parallel num_threads(threads) reduction(max : seconds) reduction(^ : sink)
  {
    const size_t words = kBytes / 8 / size_t(omp_get_num_threads());
    const uint64_t* mine = reinterpret_cast<const uint64_t*>(buffer.host()) + words * size_t(omp_get_thread_num());
#pragma omp barrier
    const double start = now();
    sink = read_all(mine, words);
    seconds = now() - start;
  }
  asm volatile("" ::"r"(sink));
  return double(kBytes) / seconds / 1e9;
}

}  // namespace loam
