// A model: its configuration, weights and tokenizer. Immutable and shared by threads; borrows the source's bytes.
#pragma once
#include <memory>
#include <optional>

#include "core/graph.h"
#include "core/model_config.h"
#include "core/model_source.h"

namespace loam {

class Model {
 public:
  // Checks that every tensor the configuration needs is there and has the right shape, and that none is left over.
  explicit Model(std::shared_ptr<const ModelSource> source);

  const ModelConfig& config() const { return config_; }
  const ModelSource& source() const { return *source_; }
  // Fails where the tensor is missing; find returns nothing.
  Weight weight(std::string_view name) const;
  std::optional<Weight> find(std::string_view name) const;
  size_t weight_bytes() const;

 private:
  void check_tensors() const;

  std::shared_ptr<const ModelSource> source_;
  ModelConfig config_;
};

}  // namespace loam
