// Small float formats <-> f32, exact and the same on every machine (no hardware rounding modes, no libm).
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/types/type.h"

namespace loam {

inline float f16_to_f32(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16, exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-24f;  // exact
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

// Round half to even; too large becomes infinity, NaN stays a (quiet) NaN.
inline uint16_t f32_to_f16(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return uint16_t(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x477ff000) return uint16_t(sign | 0x7c00);  // 65520 and above
  if (magnitude < 0x38800000) {  // below 2^-14: adding 2^-1 rounds to a multiple of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return uint16_t(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return uint16_t(sign | ((rounded - 0x38000000) >> 13));
}

inline float bf16_to_f32(uint16_t b) { return std::bit_cast<float>(uint32_t(b) << 16); }
inline uint16_t f32_to_bf16(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f);
  if ((bits & 0x7fffffff) > 0x7f800000) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// 2^(e - 128), for every byte.
inline float e8m0_half_to_f32(uint8_t e) {
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : uint32_t(e - 1) << 23);
}

constexpr int float_format_bytes(FloatFormat f) {
  return f == FloatFormat::none ? 0 : f == FloatFormat::f32 ? 4 : f == FloatFormat::e8m0_half ? 1 : 2;
}

inline float float_from_bits(FloatFormat format, uint32_t bits) {
  switch (format) {
    case FloatFormat::f32: return std::bit_cast<float>(bits);
    case FloatFormat::f16: return f16_to_f32(uint16_t(bits));
    case FloatFormat::bf16: return bf16_to_f32(uint16_t(bits));
    case FloatFormat::e8m0_half: return e8m0_half_to_f32(uint8_t(bits));
    case FloatFormat::none: break;
  }
  return 1;
}

// The nearest value of the format, as its bits (e8m0_half: nearest power of two of a positive value).
inline uint32_t float_to_bits(FloatFormat format, float value) {
  switch (format) {
    case FloatFormat::f32: return std::bit_cast<uint32_t>(value);
    case FloatFormat::f16: return f32_to_f16(value);
    case FloatFormat::bf16: return f32_to_bf16(value);
    case FloatFormat::e8m0_half: {
      if (!(value > 0)) return 0;
      int exponent;
      const float mantissa = std::frexp(value, &exponent);  // in [0.5, 1)
      const int e = exponent + (mantissa >= 0.70710678f ? 128 : 127);
      return uint32_t(e < 0 ? 0 : e > 254 ? 254 : e);
    }
    case FloatFormat::none: break;
  }
  return 0;
}

}  // namespace loam
