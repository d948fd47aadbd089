// Qwen2: as Llama, with biases on q, k and v.
#include "formats/architectures/common.h"

namespace loam {
namespace {

constexpr TensorRule kMore[] = {
    {"layers.#.attn.q.bias", "blk.#.attn_q.bias", "model.layers.#.self_attn.q_proj.bias", Size::one, Size::q},
    {"layers.#.attn.k.bias", "blk.#.attn_k.bias", "model.layers.#.self_attn.k_proj.bias", Size::one, Size::kv},
    {"layers.#.attn.v.bias", "blk.#.attn_v.bias", "model.layers.#.self_attn.v_proj.bias", Size::one, Size::kv},
};

ModelConfig from_gguf(SourceConfig& source) { return gguf_decoder(source); }

ModelConfig from_hugging_face(SourceConfig& source) { return hugging_face_qwen(source); }

}  // namespace

const Architecture kQwen2 = {.gguf = "qwen2",
                             .model_type = "qwen2",
                             .class_name = "Qwen2ForCausalLM",
                             .tensors = kMore,
                             .from_gguf = from_gguf,
                             .from_hugging_face = from_hugging_face};

}  // namespace loam
