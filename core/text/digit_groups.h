// Linear forms of the patterns that group digits by three from the right. Their lookahead makes a regex engine read
// the rest of a run at every group, which is quadratic.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace loam {

// The ends of the pieces into which a Split with the pattern, isolated, cuts a text; the last one is text.size().
using Cutter = void (*)(std::string_view text, std::vector<size_t>& ends);

// Null: not one of these patterns.
Cutter find_cutter(std::string_view pattern);

}  // namespace loam
