// The order of many texts by their bytes.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace loam {

// The places of the texts in ascending order; of equal texts the earlier one first.
std::vector<uint32_t> order_by_bytes(std::span<const std::string_view> texts);

}  // namespace loam
