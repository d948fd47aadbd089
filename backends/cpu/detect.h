// What this machine offers: its instruction sets. Compiled without flags of any instruction set.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "backends/cpu/kernel.h"

namespace loam::cpu {

// The tables of the instruction sets that were compiled and run here, best first; scalar is always there.
std::vector<const KernelTable*> available_tables();

// The named instruction set's, or the best for an empty name. Error where it is unknown or does not run here.
const KernelTable& find_table(std::string_view isa);

}  // namespace loam::cpu
