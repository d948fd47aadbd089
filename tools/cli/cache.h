// Where downloaded and converted models are kept.
#pragma once
#include <filesystem>

namespace loam {

// $LOAM_CACHE, else $XDG_CACHE_HOME/loam, else ~/.cache/loam. Not created here.
std::filesystem::path cache_folder();

}  // namespace loam
