// The reference backend: runs every op's definition, slowly. The fallback of all others and what they are tested
// against.
#pragma once
#include <memory>

#include "core/backend.h"

namespace loam {

std::unique_ptr<Backend> make_reference_backend();

}  // namespace loam
