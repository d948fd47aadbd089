// The one layout rule of weight bytes, readable by C++, CUDA and GLSL (formats/FORMAT.md says the same in words).
// A matrix [n, k] is an array of row blocks of 16 rows. A row block is one contiguous record: segments of 256 k (the
// last may be shorter, a multiple of 32), each with its codes, s, m, D and E; then the D and E of types that have one
// per row; padded to whole lines where that adds at most 1/64. A line is 64 bytes = 16 rows x 4 bytes.
#ifndef LOAM_CORE_TYPES_LAYOUT_H
#define LOAM_CORE_TYPES_LAYOUT_H

#ifdef __cplusplus
#include <cstdint>
#ifndef LOAM_LAYOUT
#ifdef __CUDACC__
#define LOAM_LAYOUT __host__ __device__ inline
#else
#define LOAM_LAYOUT constexpr inline
#endif
#endif
namespace loam::layout {
using uint = std::uint32_t;
#else
#define LOAM_LAYOUT
#endif

#define LOAM_SEGMENT_K 256u
#define LOAM_TILE_ROWS 16u

// Widths that are no power of two are two planes, the wide one first: 3 = 2 + 1, 5 = 4 + 1, 6 = 4 + 2.
LOAM_LAYOUT uint wide_bits(uint bits) { return bits == 3u ? 2u : bits == 5u || bits == 6u ? 4u : bits; }

// Codes: a plane of b bits (1, 2, 4, 8) over n k of 16 rows. The bytes of a line belong to k..k+3 of each row; the
// next four k lie b bits higher in the same bytes.
LOAM_LAYOUT uint code_plane_bytes(uint b, uint n) { return n * 2u * b; }
LOAM_LAYOUT uint code_byte(uint b, uint k, uint row) { return k / (32u / b) * 64u + row * 4u + k % 4u; }
LOAM_LAYOUT uint code_shift(uint b, uint k) { return k % (32u / b) / 4u * b; }

// Integers of groups: a plane of b bits over `count` groups of 16 rows. 16 bytes, one a row, hold 8 / b groups.
LOAM_LAYOUT uint group_plane_bytes(uint b, uint count) { return (count * b + 7u) / 8u * 16u; }
LOAM_LAYOUT uint group_byte(uint b, uint g, uint row) { return g / (8u / b) * 16u + row; }
LOAM_LAYOUT uint group_shift(uint b, uint g) { return g % (8u / b) * b; }

// Floats of blocks: `width` bytes each, [block][row].
LOAM_LAYOUT uint block_byte(uint width, uint block, uint row) { return (block * LOAM_TILE_ROWS + row) * width; }

// Plain types: a line is 16 rows x 1 k of 4 bytes or 16 rows x 2 k of 2 bytes.
LOAM_LAYOUT uint plain_byte(uint width, uint k, uint row) {
  return k / (4u / width) * 64u + row * 4u + k % (4u / width) * width;
}

#ifdef __cplusplus
}  // namespace loam::layout
#endif
#endif
