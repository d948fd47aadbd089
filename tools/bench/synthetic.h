// Models of true shapes with random weights, made in memory within a second, for measuring alone.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/model_source.h"

namespace loam {

// name: a row of the table of shapes (Error{bad_argument} lists them). All matrices have this type. activation_block:
// k per scale of the activations.
std::shared_ptr<const ModelSource> make_synthetic(const std::string& name, const std::string& type,
                                                  int64_t activation_block);

}  // namespace loam
