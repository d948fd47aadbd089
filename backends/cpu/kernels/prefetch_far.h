// Prefetching of what is read much later.
#pragma once
#include "backends/cpu/isa/inline.h"

namespace loam::cpu::ISA {
namespace {

// To the second cache: it would be too much for the first one, and for its few misses at a time.
LOAM_INLINE void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }

}  // namespace
}  // namespace loam::cpu::ISA
