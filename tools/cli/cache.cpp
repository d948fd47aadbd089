// The cache folder's place; tools/demo/fetch.sh follows the same rule.
#include "tools/cli/cache.h"

#include <cstdlib>

#include "core/error.h"

namespace loam {

std::filesystem::path cache_folder() {
  const auto get = [](const char* name) {
    const char* v = std::getenv(name);
    return v ? v : "";
  };
  if (*get("LOAM_CACHE")) return get("LOAM_CACHE");
  if (*get("XDG_CACHE_HOME")) return std::filesystem::path(get("XDG_CACHE_HOME")) / "loam";
  if (*get("HOME")) return std::filesystem::path(get("HOME")) / ".cache" / "loam";
  fail(Code::bad_argument, "no cache folder: set HOME, XDG_CACHE_HOME or LOAM_CACHE");
}

}  // namespace loam
