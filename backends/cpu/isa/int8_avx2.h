// Dots with AVX2. Panels hold codes of at most 6 bits as they are, else signed levels. A product of pairs fits 16 bits,
// and so do sums of several steps of small codes; levels give their signs to the activations.
#pragma once
#include <cstddef>

#include "backends/cpu/isa/lines_avx2.h"
#include "backends/cpu/kernels/linear_plan.h"
#include "backends/cpu/kernels/unroll.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kPanelBias = 0;               // added to signed levels
constexpr bool kSignedDots = true;          // a second dot for signed panels
constexpr int kLargestCodeBits = 6;         // of codes that dots take as they are
constexpr bool kUnpacksInRegisters = true;  // one token straight from the record
constexpr int kTileTokens = 6, kTileBlocks = 1;

template <bool kSigned>
LOAM_INLINE __m256i dot_half(__m256i sum, __m256i w, __m256i x) {
  const __m256i pairs =
      kSigned ? _mm256_maddubs_epi16(_mm256_sign_epi8(w, w), _mm256_sign_epi8(x, w)) : _mm256_maddubs_epi16(w, x);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
template <bool kSigned>
LOAM_INLINE I32x16 dot(I32x16 sum, Line w, Line x) {
  return {dot_half<kSigned>(sum.a, w.a, x.a), dot_half<kSigned>(sum.b, w.b, x.b)};
}
template <bool kSigned>
LOAM_INLINE I32x16 dot_word(I32x16 sum, Line w, const int8_t* x) {
  return dot<kSigned>(sum, w, splat_word(x));
}
// How panels are multiplied: codes of 4, 5 and 6 bits, of which 8, 4 and 2 steps fit 16 bits, and signed levels.
constexpr int kDotForms = 4, kSignedForm = 3;
LOAM_INLINE int dot_form(bool is_signed, int bits) { return is_signed ? kSignedForm : bits <= 4 ? 0 : bits - 4; }
constexpr bool kSubtractsFloats = true;  // a constant zero: from integers as soon as they are floats
// w * x = |w| * (w < 0 ? ~x : x), and |w| more where w < 0: what sums start from. (vpsignb costs a multiplier.)
template <int kForm>
constexpr bool dots_start() {
  return kForm == kSignedForm;
}

LOAM_INLINE __m256i load_half(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
LOAM_INLINE void store_half(uint8_t* p, __m256i x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
LOAM_INLINE __m256i splat_four(const int8_t* p) { return splat_word(p).a; }
LOAM_INLINE __m256i widen(__m256i sum, __m256i pairs) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// As assembly: gcc 12 multiplies ahead of the sums and spills the products.
LOAM_INLINE __m256i add_pairs(__m256i sum, __m256i w, __m256i x) {
  __m256i pairs;
  asm("vpmaddubsw %3,%2,%1\n\tvpaddw %1,%0,%0" : "+x"(sum), "=&x"(pairs) : "x"(w), "x"(x));
  return sum;
}
LOAM_INLINE void add_levels(I32x16& sum, Line magnitude, Line negative, __m256i x) {
  __m256i pairs;
  asm("vpxor %5,%3,%2\n\tvpxor %6,%3,%3\n\tvpmaddubsw %2,%4,%2\n\tvpmaddubsw %3,%7,%3\n\t"
      "vpmaddwd %2,%8,%2\n\tvpmaddwd %3,%8,%3\n\tvpaddd %2,%0,%0\n\tvpaddd %3,%1,%1"
      : "+x"(sum.a), "+x"(sum.b), "=&x"(pairs), "+x"(x)
      : "x"(magnitude.a), "x"(negative.a), "x"(negative.b), "x"(magnitude.b), "x"(_mm256_set1_epi16(1)));
}

// Levels become magnitudes; where a panel's floats would be, 255 where w < 0. Running sums of |w| there, per 16 k and
// row.
constexpr int64_t kSigns = offsetof(Panel, values) - offsetof(Panel, codes);
static_assert(sizeof(Panel::values) >= sizeof(Panel::codes));
LOAM_INLINE void finish_panel(bool is_signed, uint8_t* codes, int64_t n, int32_t* starts) {
  if (!is_signed) return;
  I32x16 sum = splat(int32_t(0));
  store(starts, sum);
  for (int64_t k = 0; k < n; k += 16) {
    UNROLL
    for (int h = 0; h < 2; ++h) {
      __m256i pairs = _mm256_setzero_si256();
      UNROLL
      for (int j = 0; j < 4; ++j) {
        uint8_t* p = codes + k * 16 + j * 64 + h * 32;
        const __m256i w = load_half(p), negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), w);
        const __m256i magnitude = _mm256_abs_epi8(w);
        store_half(p, magnitude), store_half(p + kSigns, negative);
        pairs = _mm256_sub_epi16(pairs, _mm256_maddubs_epi16(magnitude, negative));
      }
      __m256i& half = h ? sum.b : sum.a;
      half = widen(half, pairs);
    }
    store(starts + k + 16, sum);
  }
}

// kSteps of 4 k summed in 16 bits.
template <int kSteps, int T, int R>
LOAM_INLINE void dot_codes(const uint8_t* const* codes, const int8_t* x, int64_t stride, int64_t k,
                           I32x16 (&acc)[T][R]) {
  __m256i sum[T][R][2];
  UNROLL
  for (int j = 0; j < kSteps; ++j) {
    __m256i w[R][2];
    UNROLL
    for (int r = 0; r < 2 * R; ++r) w[r / 2][r % 2] = load_half(codes[r / 2] + k * 16 + j * 64 + r % 2 * 32);
    UNROLL
    for (int t = 0; t < T; ++t) {
      const __m256i four = splat_four(x + t * stride + k + 4 * j);
      UNROLL
      for (int r = 0; r < 2 * R; ++r) {
        __m256i& pairs = sum[t][r / 2][r % 2];
        pairs = j ? add_pairs(pairs, w[r / 2][r % 2], four) : _mm256_maddubs_epi16(w[r / 2][r % 2], four);
      }
    }
  }
  UNROLL
  for (int t = 0; t < T; ++t) {
    UNROLL
    for (int r = 0; r < R; ++r) acc[t][r] = {widen(acc[t][r].a, sum[t][r][0]), widen(acc[t][r].b, sum[t][r][1])};
  }
}

template <int T>
LOAM_INLINE void dot_levels(const uint8_t* codes, const int8_t* x, int64_t stride, int64_t k, I32x16 (&acc)[T][1]) {
  UNROLL
  for (int j = 0; j < 16; j += 4) {
    const Line w = load_line(codes + (k + j) * 16), negative = load_line(codes + (k + j) * 16 + kSigns);
    UNROLL
    for (int t = 0; t < T; ++t) add_levels(acc[t][0], w, negative, splat_four(x + t * stride + k + j));
  }
}

// acc += codes * x over begin .. end, multiples of 16.
template <int kForm, int T, int R>
LOAM_INLINE void dot_lines(const uint8_t* const* codes, const int8_t* x, int64_t stride, int64_t begin, int64_t end,
                           I32x16 (&acc)[T][R]) {
  if constexpr (kForm == kSignedForm) {
    for (int64_t k = begin; k < end; k += 16) dot_levels(codes[0], x, stride, k, acc);
    return;
  }
  constexpr int kSteps = 8 >> kForm, kTogether = kSteps < 4 ? kSteps : 4;
  int64_t k = begin;
  if constexpr (kSteps == 8) {
    for (; k + 32 <= end; k += 32) dot_codes<8>(codes, x, stride, k, acc);
  }
  for (; k < end; k += 16) {
    UNROLL
    for (int j = 0; j < 16; j += 4 * kTogether) dot_codes<kTogether>(codes, x, stride, k + j, acc);
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
