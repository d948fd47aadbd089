// The text side of a source: tokenizer, chat template, and the files that are kept as they are.
#pragma once
#include <string>

#include "formats/gguf/gguf_file.h"
#include "tools/convert/source.h"

namespace loam {

void read_tokenizer(const GgufFile& file, Source& source);
void read_tokenizer(const std::string& folder, Source& source);

// A small text file; fails with Error{io} or, above 256 MiB, Error{bad_file}.
std::string read_text_file(const std::string& path);

}  // namespace loam
