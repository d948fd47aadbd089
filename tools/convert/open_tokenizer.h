// The tokenizer and chat template of a model by any name, without its weights and without converting it.
#pragma once
#include <string>

#include "core/text/tokenizer_json.h"

namespace loam {

// `path`: a .loam or .gguf file (also one that has a vocabulary alone), a Hugging Face folder, or a tokenizer's file:
// tokenizer.json, tokenizer.model, NAME.tiktoken, tekken.json, vocab.txt. `pre` overrides what a GGUF file says; elsewhere it is an error.
LoadedTokenizer open_tokenizer(const std::string& path, const std::string& pre = {});

}  // namespace loam
