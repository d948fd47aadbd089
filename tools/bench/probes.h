// What this machine can do right now: the yardsticks beside every measurement. Threads share the work in small pieces,
// as they do in a run, so that another process takes from the probe what it takes from the model.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace loam {

using Bytes = std::span<const std::byte>;

// 10^9 per second of all threads together: on the whole, and while no other process interrupts them (by the median
// piece).
struct Speed {
  double whole = 0, calm = 0;
};

// Operations per second of all threads together (a multiply-add is two) with the widest instruction of that
// instruction set: int8 dot products (avx2: vpmaddubsw, vpmaddwd, vpaddd), or f32 fused multiply-adds. 0 where it is
// not known, or not of this processor.
Speed int8_peak(std::string_view isa, int threads);
Speed f32_peak(std::string_view isa, int threads);

// Bytes per second of all threads together reading these bytes over and over, in order, as plainly as
// possible. What fits into a cache is read from there, as a run does.
Speed read_bandwidth(std::span<const Bytes> memory, int threads);

}  // namespace loam
