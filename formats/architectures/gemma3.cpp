// Gemma 3, text: four norms per layer with gains 1 + g, a norm over each head of q and k, windows with a rotary base of
// their own in five layers of six, scaled embedding, GELU gate.
#include <cmath>

#include "formats/architectures/common.h"

namespace loam {
namespace {

constexpr TensorRule kNorms[] = {
    {"output_norm", "output_norm.weight", "model.norm.weight", Size::one, Size::dim, false, 1},
    {"layers.#.attn_norm", "blk.#.attn_norm.weight", "model.layers.#.input_layernorm.weight", Size::one, Size::dim,
     false, 1},
    {"layers.#.ffn_norm", "blk.#.ffn_norm.weight", "model.layers.#.pre_feedforward_layernorm.weight", Size::one,
     Size::dim, false, 1},
    {"layers.#.attn.q_norm", "blk.#.attn_q_norm.weight", "model.layers.#.self_attn.q_norm.weight", Size::one,
     Size::head, false, 1},
    {"layers.#.attn.k_norm", "blk.#.attn_k_norm.weight", "model.layers.#.self_attn.k_norm.weight", Size::one,
     Size::head, false, 1},
    {"layers.#.attn_post_norm", "blk.#.post_attention_norm.weight", "model.layers.#.post_attention_layernorm.weight",
     Size::one, Size::dim, false, 1},
    {"layers.#.ffn_post_norm", "blk.#.post_ffw_norm.weight", "model.layers.#.post_feedforward_layernorm.weight",
     Size::one, Size::dim, false, 1},
};

// Every `pattern`-th layer sees everything, the others `window` positions.
void windows_by_pattern(ModelConfig& c, int64_t window, int64_t pattern) {
  for (int64_t i = 0; i < c.layers; ++i) c.windows.push_back((i + 1) % pattern ? window : 0);
}

void gemma_arithmetic(ModelConfig& c) {
  c.embed_scale = double(std::sqrt(float(c.dim)));
  c.activation = "gelu_tanh";
}

int64_t pattern_of(SourceConfig& source, std::string_view key, int64_t otherwise) {
  const int64_t pattern = source.integer(key, otherwise);
  if (pattern < 1) source.unsupported(key, "expected 1 or more");
  return pattern;
}

ModelConfig from_gguf(SourceConfig& source) {
  ModelConfig c = gguf_decoder(source);
  gemma_arithmetic(c);
  c.rope_base_local = source.number("rope.freq_base_swa", 10000);
  windows_by_pattern(c, source.integer("attention.sliding_window"),
                     pattern_of(source, "attention.sliding_window_pattern", 6));
  // The 27B model (62 layers) alone divides by the width of a head of the residual stream; GGUF has no key for that.
  c.attention_scale = 1 / std::sqrt(double(c.layers == 62 ? c.dim / c.heads : c.head_dim));
  return c;
}

ModelConfig from_hugging_face(SourceConfig& source) {
  ModelConfig c = hugging_face_decoder(source);
  gemma_arithmetic(c);
  c.activation = hugging_face_activation(source, "hidden_activation", "gelu_pytorch_tanh");
  c.head_dim = source.integer("head_dim", 256);
  const std::string full = "rope_parameters.full_attention.", local = "rope_parameters.sliding_attention.";
  c.rope_base = source.number(full + "rope_theta", source.number("rope_theta", 1e6));
  c.rope_base_local = source.number(local + "rope_theta", source.number("rope_local_base_freq", 10000));
  hugging_face_rope_scaling(source, source.has(full + "rope_type") ? full : "rope_scaling.", c);
  if (source.text(local + "rope_type", "default") != "default")
    source.unsupported(local + "rope_type", "layers with a window rotate without scaling");
  const double scalar = source.number("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) source.unsupported("query_pre_attn_scalar", "expected more than 0");
  c.attention_scale = 1 / std::sqrt(scalar);
  const int64_t window = source.integer("sliding_window", 4096);
  const int64_t new_name = pattern_of(source, "_sliding_window_pattern", 6);
  const int64_t pattern = pattern_of(source, "sliding_window_pattern", new_name);
  if (!windows_from_layer_types(source, window, c)) windows_by_pattern(c, window, pattern);
  return c;
}

}  // namespace

const Architecture kGemma3 = {.gguf = "gemma3",
                              .model_type = "gemma3_text",
                              .class_name = "Gemma3ForCausalLM",
                              .tensors = kNorms,
                              .from_gguf = from_gguf,
                              .from_hugging_face = from_hugging_face,
                              .tied_otherwise = true};

}  // namespace loam
