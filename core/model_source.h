// Where a model comes from: names, shapes and bytes in Loam's own layout. The .loam reader implements it; tests make
// models in memory with it.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metadata.h"
#include "core/text/tokenizer_spec.h"
#include "core/types/type.h"

namespace loam {

// One tensor as stored. Matrices [experts, n, k] are arrays of row blocks (core/types); vectors (n == 1,
// `vector` true) are plain arrays of f32.
struct StoredTensor {
  std::string name;  // canonical, e.g. "layers.3.attn.q"
  const TypeInfo* type = nullptr;
  int64_t experts = 1, n = 1, k = 0;
  bool vector = false;
  std::span<const std::byte> bytes;  // borrowed from the source; 64-byte aligned
};

class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual const Metadata& metadata() const = 0;
  virtual std::span<const StoredTensor> tensors() const = 0;          // sorted by name
  virtual const TokenizerSpec* tokenizer() const { return nullptr; }  // null: the file has none
  virtual std::string_view chat_template() const { return {}; }       // empty: none
  const StoredTensor* find(std::string_view name) const;              // null: not there
};

}  // namespace loam
