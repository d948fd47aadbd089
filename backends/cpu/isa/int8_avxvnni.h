// Dots with AVX-VNNI: vpdpbusd on 32 bytes. It multiplies unsigned weights by signed activations, so that panels hold
// levels + 128. LOAM_EVEX: the same code with AVX-512's encoding of that one instruction, to be run in tests.
#pragma once
#include "backends/cpu/isa/lines_avx2.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kPanelBias = 128;                  // added to signed levels
constexpr bool kSignedDots = false;              // a second dot for signed panels
constexpr int kLargestCodeBits = 8;              // of codes that dots take as they are
constexpr bool kUnpacksInRegisters = true;       // one token straight from the record
constexpr int kTileTokens = 6, kTileBlocks = 1;  // 12 accumulators, two of weights, one of activations

#ifdef LOAM_EVEX
#define LOAM_DOT "%{evex%} vpdpbusd"
#else
#define LOAM_DOT "%{vex%} vpdpbusd"
#endif
template <bool kSigned>
LOAM_INLINE I32x16 dot(I32x16 sum, Line w, Line x) {
  asm(LOAM_DOT " %2,%1,%0" : "+x"(sum.a) : "x"(w.a), "x"(x.a));
  asm(LOAM_DOT " %2,%1,%0" : "+x"(sum.b) : "x"(w.b), "x"(x.b));
  return sum;
}
#undef LOAM_DOT
template <bool kSigned>
LOAM_INLINE I32x16 dot_word(I32x16 sum, Line w, const int8_t* x) {  // the same four activations for all rows
  return dot<kSigned>(sum, w, splat_word(x));
}

}  // namespace
}  // namespace loam::cpu::ISA

#include "backends/cpu/isa/dot_lines.h"
