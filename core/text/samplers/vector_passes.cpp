// One definition of each pass, compiled for several vector widths.
#include "core/text/samplers/vector_passes.h"

#include <cstdint>
#include <cstring>
#include <limits>

#include "core/text/samplers/exponential.h"

namespace loam {
namespace {

template <class T, size_t kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
template <class T, size_t kBytes>
using Vector = typename VectorOf<T, kBytes>::type;

#define LOAM_INLINE __attribute__((always_inline)) inline

template <size_t kBytes>
struct Passes {
  using Floats = Vector<float, kBytes>;
  using Masks = Vector<int32_t, kBytes>;
  using Bits = Vector<uint32_t, kBytes>;
  using Doubles = Vector<double, kBytes>;
  static constexpr size_t kDoubles = kBytes / sizeof(double);
  static constexpr size_t kLanes = kBytes / sizeof(float);
  static constexpr size_t kSums = 16;  // in any width

  LOAM_INLINE static bool any_above(const float* logits, float threshold) {
    Masks any{};
    for (size_t i = 0; i < kLogitBlock; i += kLanes) {
      Floats x;
      std::memcpy(&x, logits + i, sizeof x);
      any |= ~(x <= threshold);
    }
    int32_t found[kLanes], all = 0;
    std::memcpy(found, &any, sizeof found);
    for (const int32_t f : found) all |= f;
    return all != 0;
  }

  LOAM_INLINE static void mark_above(const float* logits, float threshold, uint8_t* marks) {
    for (size_t i = 0; i < kLogitBlock; i += kLanes) {
      Floats x;
      std::memcpy(&x, logits + i, sizeof x);
      const auto above = __builtin_convertvector(~(x <= threshold), Vector<int8_t, kLanes>);
      std::memcpy(marks + i, &above, sizeof above);
    }
  }

  // 2^t = 2^n times a polynomial of t - n; what is below 2^-126 counts as that.
  LOAM_INLINE static BlockSums weigh(const float* logits, float largest, float scale, float below) {
    Floats weights[kSums / kLanes] = {}, surprises[kSums / kLanes] = {};
    for (size_t i = 0; i < kLogitBlock; i += kSums) {
#pragma GCC unroll 4
      for (size_t j = 0; j < kSums / kLanes; ++j) {
        Floats x;
        std::memcpy(&x, logits + i + j * kLanes, sizeof x);
        Floats t = (x - largest) * scale;
        t = x < below ? t : Floats{} - 126.f;
        t = t > -126.f ? t : Floats{} - 126.f;
        const Floats shifted = t + 12582912.f, f = t - (shifted - 12582912.f);  // 1.5 * 2^23
        Floats p = f * 0.00132764725f + 0.00967554096f;
        p = p * f + 0.0555071309f;
        p = p * f + 0.240221202f;
        p = p * f + 0.693146944f;
        p = p * f + 1.f;
        p = (Floats)((Bits)p + ((Bits)shifted << 23));
        weights[j] += p;
        surprises[j] -= p * t;
      }
    }
    constexpr double kLn2 = 0.6931471805599453;
    return {sum<float, kSums>(weights), kLn2 * sum<float, kSums>(surprises)};
  }

  LOAM_INLINE static BlockSums weigh_exactly(const float* logits, double largest, double temperature, double* weights) {
    Doubles totals[8 / kDoubles] = {}, surprises[8 / kDoubles] = {};
    for (size_t i = 0; i < kLogitBlock; i += 8) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 8 / kDoubles; ++j) {
        Doubles y, weight;
        load(y, logits + i + j * kDoubles);
        y = largest - y;
        if (temperature != 1) y /= temperature;
        weight = -y;
        exponential<Doubles, Vector<uint64_t, kBytes>>(weight);
        std::memcpy(weights + i + j * kDoubles, &weight, sizeof weight);
        totals[j] += weight;
        surprises[j] += weight > 0 ? weight * y : Doubles{};
      }
    }
    return {sum<double, 8>(totals), sum<double, 8>(surprises)};
  }

  LOAM_INLINE static BlockMoments moments(const float* logits, double shift) {
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    Doubles counts[8 / kDoubles] = {}, sums[8 / kDoubles] = {}, squares[8 / kDoubles] = {};
    for (size_t i = 0; i < kLogitBlock; i += 8) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 8 / kDoubles; ++j) {
        Doubles v;
        load(v, logits + i + j * kDoubles);
        counts[j] += v > kNone ? Doubles{} + 1.0 : Doubles{};
        v = v > kNone ? v - shift : Doubles{};
        sums[j] += v;
        squares[j] += v * v;
      }
    }
    return {sum<double, 8>(counts), sum<double, 8>(sums), sum<double, 8>(squares)};
  }

  LOAM_INLINE static void exponentials(double* x, size_t count) {
    for (size_t i = 0; i < count; i += kDoubles) {
      Doubles v;
      std::memcpy(&v, x + i, sizeof v);
      exponential<Doubles, Vector<uint64_t, kBytes>>(v);
      std::memcpy(x + i, &v, sizeof v);
    }
  }

 private:
  LOAM_INLINE static void load(Doubles& to, const float* from) {
    Vector<float, kBytes / 2> x;
    std::memcpy(&x, from, sizeof x);
    to = __builtin_convertvector(x, Doubles);
  }
  template <class T, size_t kCount>
  LOAM_INLINE static double sum(const void* lanes) {
    if constexpr (kCount == 1) {
      T x;
      std::memcpy(&x, lanes, sizeof x);
      return double(x);
    } else {  // halves, in registers
      Vector<T, kCount / 2 * sizeof(T)> low, high;
      std::memcpy(&low, lanes, sizeof low);
      std::memcpy(&high, static_cast<const char*>(lanes) + sizeof low, sizeof high);
      low += high;
      return sum<T, kCount / 2>(&low);
    }
  }
};

// Quick sums have bounds on their errors: there the compiler may fuse products and sums.
#if defined(__clang__)
#define LOAM_FUSED
#else
#define LOAM_FUSED __attribute__((optimize("fp-contract=fast")))
#endif

// The functions in a width that the compiler may use for them alone.
#define LOAM_PASSES(name, bytes, attribute)                                                                          \
  struct name {                                                                                                      \
    attribute static bool any_above(const float* x, float threshold) {                                               \
      return Passes<bytes>::any_above(x, threshold);                                                                 \
    }                                                                                                                \
    attribute static void mark_above(const float* x, float threshold, uint8_t* marks) {                              \
      Passes<bytes>::mark_above(x, threshold, marks);                                                                \
    }                                                                                                                \
    attribute LOAM_FUSED static BlockSums weigh(const float* x, float largest, float scale, float below) {           \
      return Passes<bytes>::weigh(x, largest, scale, below);                                                         \
    }                                                                                                                \
    attribute static BlockSums weigh_exactly(const float* x, double largest, double temperature, double* w) {        \
      return Passes<bytes>::weigh_exactly(x, largest, temperature, w);                                               \
    }                                                                                                                \
    attribute static BlockMoments moments(const float* x, double shift) { return Passes<bytes>::moments(x, shift); } \
    attribute static void exponentials(double* x, size_t count) { Passes<bytes>::exponentials(x, count); }           \
    static constexpr VectorPasses kList{any_above, mark_above, weigh, weigh_exactly, moments, exponentials};         \
  };

LOAM_PASSES(Narrow, 16, )
#if defined(__x86_64__)
LOAM_PASSES(Avx2, 32, __attribute__((target("avx2,fma"))))
LOAM_PASSES(Avx512, 64, __attribute__((target("avx512f"))))
#endif

}  // namespace

std::span<const VectorPasses> all_vector_passes() {
#if defined(__x86_64__)
  static const VectorPasses kAll[] = {Narrow::kList, Avx2::kList, Avx512::kList};
  static const size_t count = __builtin_cpu_supports("avx512f")                                 ? 3
                              : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 2
                                                                                                : 1;
  return {kAll, count};
#else
  static const VectorPasses kAll[] = {Narrow::kList};
  return kAll;
#endif
}

const VectorPasses& vector_passes() {
  static const VectorPasses& widest = all_vector_passes().back();
  return widest;
}

}  // namespace loam
