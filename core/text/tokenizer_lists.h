// Vocabularies of the years before tokenizer.json: vocab.txt (WordPiece), vocab.json with merges.txt (byte-level BPE).
#pragma once
#include <string_view>

#include "core/text/tokenizer_json.h"

namespace loam {

// One token per line; steps as BERT has them and tokenizer_config.json modifies them.
LoadedTokenizer tokenizer_from_vocab_txt(std::string_view vocab, std::string_view config = {},
                                         std::string_view generation_config = {});

// The steps follow from tokenizer_class, or from `pre`, a name as tokenizer.ggml.pre has them.
LoadedTokenizer tokenizer_from_vocab_json(std::string_view vocab, std::string_view merges, std::string_view config = {},
                                          std::string_view generation_config = {}, std::string_view pre = {});

}  // namespace loam
