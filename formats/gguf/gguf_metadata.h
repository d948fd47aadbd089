// The key/value part of a GGUF file.
#pragma once
#include "core/metadata.h"
#include "formats/byte_reader.h"

namespace loam {

// Reads `count` key/values; the reader then stands behind them.
Metadata read_gguf_metadata(ByteReader& in, uint64_t count);
// A string: length in 64 bits, then bytes.
std::string_view read_gguf_string(ByteReader& in, std::string_view what);

}  // namespace loam
