// Code -> level tables of the types that have one.
#pragma once
#include <cstdint>

namespace loam::tables {

// N4: 16 levels, denser near zero; the second table is the first shifted by 4 (one bit per group chooses).
inline constexpr int8_t kN4[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
inline constexpr int8_t kN4Shifted[16] = {-123, -100, -79, -61, -45, -31, -18, -6, 5, 17, 29, 42, 57, 73, 93, 117};
// N4h: small levels, so that level times a scale of 1..6 is an exact int8.
inline constexpr int8_t kN4h0[16] = {-21, -17, -14, -11, -8, -6, -4, -2, 0, 2, 4, 6, 9, 11, 15, 19};
inline constexpr int8_t kN4h1[16] = {-20, -16, -13, -10, -7, -5, -3, -1, 1, 3, 5, 7, 10, 12, 16, 20};
// GGUF's IQ4_NL and IQ4_XS.
inline constexpr int8_t kIq4nl[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// OCP MXFP4 (E2M1), doubled.
inline constexpr int8_t kMxfp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace loam::tables
