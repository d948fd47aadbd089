// Source architectures: what each one calls its tensors, and how its settings become a ModelConfig. One file per
// architecture in architectures/, one line per architecture in architectures.cpp.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model_config.h"
#include "formats/source_config.h"

namespace loam {

// A size of a tensor, in terms of the model's configuration. `q` is heads * head_dim, `kv` is kv_heads * head_dim.
enum class Size : uint8_t { one, dim, q, kv, head, ffn, vocab };

// One tensor, or one per layer where the names have a '#'. n == one: a vector of k values.
struct TensorRule {
  std::string_view name, gguf, hugging_face;
  Size n, k;
  bool optional = false;
  float offset = 0;  // Hugging Face files store the value less this (Gemma's gains are 1 + g)
};

// What every decoder has, as Llama names it.
extern const std::span<const TensorRule> kDecoderTensors;

struct Architecture {
  std::string_view gguf;                     // general.architecture
  std::string_view model_type;               // of config.json
  std::string_view class_name;               // of config.json, "architectures"
  std::span<const TensorRule> tensors = {};  // beside kDecoderTensors; one of the same name replaces it
  ModelConfig (*from_gguf)(SourceConfig&);
  ModelConfig (*from_hugging_face)(SourceConfig&);
  bool tied_otherwise = false;                     // tie_word_embeddings where config.json does not say
  std::span<const std::string_view> ignored = {};  // names of tensors that carry nothing of their own
};

std::span<const Architecture* const> all_architectures();

enum class Naming : uint8_t { gguf, hugging_face };

// By general.architecture, or by config.json's "architectures" and "model_type". Fails with Error{unsupported} that
// lists the known ones.
const Architecture& find_architecture(const Metadata& gguf, const std::string& where);
const Architecture& find_architecture(SourceConfig& config);

struct FoundTensor {
  std::string name;           // as the source calls it
  std::vector<int64_t> dims;  // the contiguous one last: {n, k} or {k}
};

struct MappedTensor {
  std::string name;  // canonical
  size_t found = 0;  // index of the source's tensor
  int64_t n = 1, k = 0;
  bool vector = false;
  float offset = 0;
};

// What each found tensor is, sorted by canonical name. Fails where tensors are missing, unknown or of a wrong shape.
std::vector<MappedTensor> map_tensors(const Architecture& architecture, const ModelConfig& config, Naming naming,
                                      std::span<const FoundTensor> found, const std::string& where);

}  // namespace loam
