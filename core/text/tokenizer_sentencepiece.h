// SentencePiece's tokenizer.model (a protobuf) -> TokenizerSpec. Ids are those of the sentencepiece library.
#pragma once
#include <string_view>

#include "core/text/tokenizer_json.h"

namespace loam {

// `config` and `generation_config` are the texts of tokenizer_config.json and generation_config.json, or empty. Fails
// with bad_file, or unsupported where the file asks for what this version does not do.
LoadedTokenizer tokenizer_from_sentencepiece(std::string_view model, std::string_view config = {},
                                             std::string_view generation_config = {});

}  // namespace loam
