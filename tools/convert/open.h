// A model by any name: a .loam file as it is, everything else converted once into the cache.
#pragma once
#include <string>

#include "formats/progress.h"

namespace loam {

// The .loam file to open for `path`. Converts (exactly, where the source is quantized) where the cache has nothing for
// this source; the source's name, size, time and a hash of its head and tail are the key.
// `pre` overrides the pre-tokenizer of a GGUF file, and is a part of the key.
// Without a callback it draws a progress line and stops at Ctrl-C.
std::string open_or_convert(const std::string& path, const Progress& progress = {}, const std::string& pre = {});

}  // namespace loam
