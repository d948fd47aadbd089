// A GGUF file's tokenizer.ggml.* keys -> TokenizerSpec.
#pragma once
#include <string_view>

#include "core/metadata.h"
#include "core/text/tokenizer_json.h"

namespace loam {

// `pre` overrides tokenizer.ggml.pre. An unknown model or pre is an error that names it.
LoadedTokenizer tokenizer_from_gguf(const Metadata& metadata, std::string_view pre = {});

}  // namespace loam
