#include "core/model_source.h"

#include <algorithm>

namespace loam {

const StoredTensor* ModelSource::find(std::string_view name) const {
  const auto all = tensors();
  const auto it = std::lower_bound(all.begin(), all.end(), name,
                                   [](const StoredTensor& t, std::string_view n) { return t.name < n; });
  return it != all.end() && it->name == name ? &*it : nullptr;
}

}  // namespace loam
