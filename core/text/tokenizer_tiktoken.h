// tiktoken's ranks (lines of "base64 rank": *.tiktoken, and tokenizer.model of Llama 3 and 4) and Mistral's tekken.json
// -> TokenizerSpec.
#pragma once
#include <string_view>

#include "core/text/tokenizer_json.h"

namespace loam {

// Whether a file begins as lines of ranks do (a tokenizer.model may be this or a protobuf).
bool looks_like_tiktoken(std::string_view text);

// The file has no pattern to split by. `pre` names it, as tokenizer.ggml.pre does; empty: the family is known by the
// number of its ranks, and an unknown number is an error that tells what to do.
LoadedTokenizer tokenizer_from_tiktoken(std::string_view ranks, std::string_view config = {},
                                        std::string_view generation_config = {}, std::string_view pre = {});

LoadedTokenizer tokenizer_from_tekken(std::string_view json, std::string_view config = {},
                                      std::string_view generation_config = {});

}  // namespace loam
