// The text side of a source: tokenizer, chat template, and the files that are kept as they are.
#pragma once
#include <string>

#include "core/text/tokenizer_json.h"
#include "formats/gguf/gguf_file.h"
#include "tools/convert/source.h"

namespace loam {

void read_tokenizer(const GgufFile& file, Source& source, const std::string& pre = {});
// `pre` names how to split text where the folder's files do not say it (ranks of tiktoken).
void read_tokenizer(const std::string& folder, Source& source, const std::string& pre = {});

// The tokenizer and chat template of a folder, or of a tokenizer's file and what lies beside it.
LoadedTokenizer read_tokenizer_file(const std::string& path, const std::string& pre = {});

}  // namespace loam
