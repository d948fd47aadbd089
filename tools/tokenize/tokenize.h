// loam tokenize on an open tokenizer.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "core/text/tokenizer.h"

namespace loam {

enum class TokenForm : uint8_t { table, ids, pieces, count };

// Prints the tokens of `text`: "   123 "text"" lines, numbers on one line, texts alone, or how many they are.
void print_tokens(const Tokenizer& tokenizer, std::string_view text, TokenForm form, const EncodeOptions& options,
                  std::FILE* out);
// The reverse: `list` is numbers between spaces, commas or brackets; prints exactly the bytes that they stand for.
void print_decoded(const Tokenizer& tokenizer, std::string_view list, bool special, std::FILE* out);

}  // namespace loam
