// Hugging Face's tokenizer.json (and tokenizer_config.json) -> TokenizerSpec.
#pragma once
#include <string>
#include <string_view>

#include "core/text/tokenizer_spec.h"

namespace loam {

struct LoadedTokenizer {
  TokenizerSpec spec;
  std::string chat_template;  // empty: none
};

// `config` and `generation_config` are the texts of tokenizer_config.json and generation_config.json, or empty.
LoadedTokenizer tokenizer_from_json(std::string_view tokenizer_json, std::string_view config = {},
                                    std::string_view generation_config = {});

}  // namespace loam
