#include "backends/cpu/detect.h"

#include <algorithm>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace loam::cpu {

namespace scalar {
extern const KernelTable table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const KernelTable table;
}
namespace avxvnni {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}
#elif defined(__aarch64__)
namespace neon {
extern const KernelTable table;
}
namespace i8mm {
extern const KernelTable table;
}
#endif

namespace {

#if defined(__x86_64__)
bool has_f16c() {  // not among the names of __builtin_cpu_supports in every compiler
  unsigned a, b, c = 0, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
         has_f16c();
}
bool has_avxvnni() {
  unsigned a, b, c, d;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__)
bool has_neon() {  // dot products and half floats; bits of asm/hwcap.h
  constexpr unsigned long kHalf = 1ul << 10, kDot = 1ul << 20;
  return (getauxval(AT_HWCAP) & (kHalf | kDot)) == (kHalf | kDot);
}
bool has_i8mm() {  // matrix products
  constexpr unsigned long kI8mm = 1ul << 13;
  return has_neon() && (getauxval(AT_HWCAP2) & kI8mm);
}
#endif

}  // namespace

std::vector<const KernelTable*> available_tables() {
  std::vector<const KernelTable*> all;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_avx512()) all.push_back(&avx512::table);
  if (has_avxvnni()) all.push_back(&avxvnni::table);
  if (has_avx2()) all.push_back(&avx2::table);
#elif defined(__aarch64__)
  if (has_i8mm()) all.push_back(&i8mm::table);
  if (has_neon()) all.push_back(&neon::table);
#endif
  all.push_back(&scalar::table);
  return all;
}

const KernelTable& find_table(std::string_view isa) {
  const auto all = available_tables();
  if (isa.empty()) return *all[0];
  std::string names;
  for (const KernelTable* t : all) {
    if (isa == t->isa) return *t;
    names += (names.empty() ? "" : ", ") + std::string(t->isa);
  }
  fail(Code::unsupported, "cpu: the instruction set '%.*s' is unknown or not of this machine; it has: %s",
       int(std::min<size_t>(isa.size(), 40)), isa.data(), names.c_str());
}

}  // namespace loam::cpu
