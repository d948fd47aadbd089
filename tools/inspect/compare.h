// How far a .loam is from its source: value by value, after dequantizing both.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/model_source.h"
#include "formats/progress.h"
#include "tools/convert/source.h"

namespace loam {

struct TensorComparison {
  std::string name;
  double largest = 0;      // |stored - source|; infinity where one of them is not finite
  double nmse = 0;         // sum (stored - source)^2 / sum source^2
  uint64_t differing = 0;  // values whose bits differ, signs of zero included
};

struct Comparison {
  std::vector<TensorComparison> tensors;  // sorted by name
  std::vector<std::string> problems;      // tensors or settings that only one side has
  bool equal() const;
};

Comparison compare(const ModelSource& stored, const Source& source, const Progress& progress = {});

}  // namespace loam
