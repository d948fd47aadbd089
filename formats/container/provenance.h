// Where a model file came from: kept in the file, shown by `loam inspect`.
#pragma once
#include <string>
#include <vector>

#include "core/metadata.h"

namespace loam {

struct Provenance {
  struct Source {
    std::string name;  // of the file, without folders
    std::string hash;  // "xxh3-128:..." or "sha256:..."
    bool operator==(const Source&) const = default;
  };
  struct TensorError {
    std::string tensor;
    double nmse = 0;     // sum (stored - source)^2 / sum source^2
    double largest = 0;  // largest |stored - source|
    bool operator==(const TensorError&) const = default;
  };
  std::string tool;    // program and version
  std::string recipe;  // what was asked for, e.g. "n4" or "as stored"
  std::vector<Source> sources;
  std::vector<TensorError> errors;
  bool operator==(const Provenance&) const = default;
};

Metadata to_metadata(const Provenance& provenance);
Provenance provenance_from(const Metadata& metadata);  // fails where lists do not match

}  // namespace loam
