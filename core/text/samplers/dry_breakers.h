// Texts that end a repetition for DRY, as the tokens that they may be written with.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"

namespace loam {

// Each text becomes every token that contains it, and every token that ends with a beginning of it, followed by the
// tokens of the rest. Fails with bad_argument where a text is empty or has more than 40 bytes.
std::vector<std::vector<int32_t>> dry_breakers(const Tokenizer& tokenizer, std::span<const std::string> texts);

// "\n", ":", "\"" and "*".
std::vector<std::string> default_dry_breakers();

}  // namespace loam
