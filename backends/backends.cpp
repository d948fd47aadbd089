#include "backends/backends.h"

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"

namespace loam {

std::vector<std::string> backend_names() {
  return {
#define BACKEND(name, factory) #name,
#include "backends/backends.def"
#undef BACKEND
  };
}

std::shared_ptr<Backend> make_backend(const std::string& name, int threads) {
  if (threads < 0) fail(Code::bad_argument, "%d threads: expected at least 1, or 0 for all processors", threads);
#define BACKEND(known, factory) \
  if (name == #known) return factory;
#include "backends/backends.def"
#undef BACKEND
  std::string known;
  for (const std::string& n : backend_names()) known += (known.empty() ? "" : ", ") + n;
  fail(Code::bad_argument, "no backend '%s': there are %s", name.c_str(), known.c_str());
}

Placement make_placement(const std::string& names, int threads) {
  Placement placement;
  const std::string reference = backend_names().back();
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    placement.backends.push_back(make_backend(names.substr(begin, end - begin), threads));
    begin = end + 1;
  }
  if (placement.backends.back()->name() != reference) placement.backends.push_back(make_backend(reference));
  return placement;
}

}  // namespace loam
