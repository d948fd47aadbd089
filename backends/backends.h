// The list of backends, and how a name becomes one.
#pragma once
#include <string>
#include <vector>

#include "core/executor.h"

namespace loam {

// Names of all backends, the default first and the reference backend last.
std::vector<std::string> backend_names();

// threads: 0 for as many as there are processors; backends that know no threads ignore it. Fails with bad_argument
// where no backend has this name.
std::shared_ptr<Backend> make_backend(const std::string& name, int threads = 0);

// The named backends, separated by commas, best first; the reference backend is added at the end as their fallback.
Placement make_placement(const std::string& names = "cpu", int threads = 0);

}  // namespace loam
