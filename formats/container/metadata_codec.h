// Metadata as bytes: a count, then key/values sorted by key. FORMAT.md, "Key/values".
#pragma once
#include <string>

#include "core/metadata.h"
#include "formats/byte_reader.h"

namespace loam {

std::string encode_metadata(const Metadata& metadata);
// The reader must hold this section alone; fails where bytes are left over or anything is out of order.
Metadata decode_metadata(ByteReader in);

}  // namespace loam
