// The first 4096 bytes of a .loam: what the file is, whether it is finished, and where its footer lies.
#pragma once
#include <span>
#include <string>

#include "formats/container/hash.h"
#include "formats/container/layout.h"

namespace loam::container {

// Of a file that is being written: no sizes yet.
Preamble writing_preamble();
Preamble sealed_preamble(uint64_t footer_offset, std::span<const std::byte> footer);
// The preamble of `file`; checks it, the file's size and the footer's hash. Throws Error that says which of "not a
// Loam file", "unfinished", "newer", "cut short" or "corrupt" it is.
Preamble check_preamble(std::span<const std::byte> file, const std::string& path);

}  // namespace loam::container
