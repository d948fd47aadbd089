// The weights of the golden models: a function of seed, canonical tensor name and element index, the same here and in
// golden/weights.py. Values are 20-bit integers times a power of two, so both sides have identical f32.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace loam::golden {

constexpr uint64_t fnv1a(std::string_view name) {
  uint64_t h = 0xCBF29CE484222325u;
  for (const char c : name) h = (h ^ uint8_t(c)) * 0x100000001B3u;
  return h;
}

// The output function of splitmix64.
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// A stream of integers: one per (seed, name, index).
class Stream {
 public:
  constexpr Stream(uint64_t seed, std::string_view name) : base_(mix(seed ^ fnv1a(name))) {}
  constexpr uint64_t operator[](uint64_t index) const { return mix(base_ + (index + 1) * 0x9E3779B97F4A7C15u); }
  // f32 in [-1, 1), a multiple of 2^-19.
  constexpr float uniform(uint64_t index) const {
    return float(int32_t((*this)[index] >> 44) - (1 << 19)) / float(1 << 19);
  }

 private:
  uint64_t base_;
};

constexpr bool is_gain(std::string_view name) { return name.ends_with("norm"); }

// A power of two by the tensor's part: large enough that attention is not uniform and no layer dies.
constexpr float scale_of(std::string_view name) {
  if (name == "embed" || name == "output" || name.ends_with(".bias")) return 0.5f;
  return name.ends_with(".attn.q") || name.ends_with(".attn.k") ? 0.25f : 0.125f;
}

// The canonical tensor, row-major: gains in [0.75, 1.25), everything else in [-scale, scale).
inline void fill(uint64_t seed, std::string_view name, std::span<float> out) {
  const Stream stream(seed, name);
  const bool gain = is_gain(name);
  const float scale = scale_of(name);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = gain ? 1.0f + 0.25f * stream.uniform(i) : scale * stream.uniform(i);
  }
}

inline std::vector<float> weights(uint64_t seed, std::string_view name, size_t count) {
  std::vector<float> out(count);
  fill(seed, name, out);
  return out;
}

}  // namespace loam::golden
