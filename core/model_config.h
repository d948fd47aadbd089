// What the decoder graph must know of a model: sizes, and one flag per mathematical difference. Stored in metadata
// under "model.<field>"; what is not here (output tied or not, biases, query/key norm, post norms) follows from which
// tensors are present.
#pragma once
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "core/metadata.h"

namespace loam {

struct ModelConfig {
  std::string architecture;  // of the source, for people; the mathematics never asks for it
  std::string name;          // for people
  int64_t dim = 0;           // of the residual stream
  int64_t layers = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  int64_t ffn_dim = 0;
  int64_t vocab = 0;
  int64_t context = 0;  // positions the model was trained for
  double norm_eps = 1e-5;
  double embed_scale = 1;             // multiplies embedding rows (Gemma: sqrt(dim) rounded as the source does)
  double attention_scale = 0;         // of q.k; 0: 1 / sqrt(head_dim)
  std::string activation = "silu";    // of the gate: silu, gelu_tanh
  std::string rope_pairing = "half";  // which two values rotate together: half (i, i + d/2), interleaved (2i, 2i + 1)
  double rope_base = 10000;
  std::string rope_scaling = "none";  // none, linear, llama3
  double rope_factor = 1;
  double rope_low_freq_factor = 1, rope_high_freq_factor = 4;  // llama3
  int64_t rope_original_context = 0;                           // llama3
  double rope_base_local = 0;                                  // of windowed layers, never scaled; 0: as the others
  std::vector<int64_t> windows;   // per layer: positions a row may look back to, itself included; 0 all. Empty: all 0
  int64_t activation_block = 32;  // k per scale of int8 activations, 16..256

  // Calls visit(key, field) for every field. On-disk keys: append only.
  template <class Self, class Visit>
  static void fields(Self& c, Visit&& visit) {
    visit("architecture", c.architecture);
    visit("name", c.name);
    visit("dim", c.dim);
    visit("layers", c.layers);
    visit("heads", c.heads);
    visit("kv_heads", c.kv_heads);
    visit("head_dim", c.head_dim);
    visit("ffn_dim", c.ffn_dim);
    visit("vocab", c.vocab);
    visit("context", c.context);
    visit("norm_eps", c.norm_eps);
    visit("embed_scale", c.embed_scale);
    visit("attention_scale", c.attention_scale);
    visit("activation", c.activation);
    visit("rope.pairing", c.rope_pairing);
    visit("rope.base", c.rope_base);
    visit("rope.scaling", c.rope_scaling);
    visit("rope.factor", c.rope_factor);
    visit("rope.low_freq_factor", c.rope_low_freq_factor);
    visit("rope.high_freq_factor", c.rope_high_freq_factor);
    visit("rope.original_context", c.rope_original_context);
    visit("rope.base_local", c.rope_base_local);
    visit("windows", c.windows);
    visit("activation_block", c.activation_block);
  }

  void write(Metadata& to) const {
    fields(*this,
           [&](std::string_view key, const auto& field) { to.set("model." + std::string(key), MetaValue(field)); });
  }
  // Reads and checks; a hostile file gets Error{bad_file}.
  static ModelConfig read(const Metadata& from);
  void check() const;
  bool operator==(const ModelConfig&) const = default;
};

}  // namespace loam
