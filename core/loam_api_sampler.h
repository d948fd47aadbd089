// A sampler of the C API: its options, what it remembers of the text, and what the answer may look like.
#pragma once
#include <memory>
#include <vector>

#include "core/loam_api_internal.h"
#include "core/text/grammar/grammar_constraint.h"
#include "core/text/sampler.h"

struct loam_sampler {
  loam::Sampler sampler;
  size_t recent;                                        // tokens that the penalties look at
  std::vector<int32_t> history;                         // at least the recent ones, oldest first
  std::unique_ptr<loam::GrammarConstraint> constraint;  // null: any text
};
