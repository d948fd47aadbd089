// Control tokens that end an answer in the chat formats that people ship, beside the model's own eos.
#pragma once
#include <span>

#include "core/text/tokenizer_spec.h"

namespace loam {

// Fills spec.ends: eos, the ids `more` (-1: none) that a file names, and every control or added token whose text is
// known to end an answer or a turn.
void find_end_tokens(TokenizerSpec& spec, std::span<const int32_t> more = {});

}  // namespace loam
