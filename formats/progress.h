// How long calls tell how far they are.
#pragma once
#include <cstdint>
#include <functional>

namespace loam {

// Called now and then with bytes done and bytes in all, from one thread at a time; false cancels the call, which then
// fails with Error{cancelled}.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

}  // namespace loam
