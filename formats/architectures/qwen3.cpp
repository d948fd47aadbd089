// Qwen3: as Llama, with a norm over each head of q and k.
#include "formats/architectures/common.h"

namespace loam {
namespace {

constexpr TensorRule kMore[] = {
    {"layers.#.attn.q_norm", "blk.#.attn_q_norm.weight", "model.layers.#.self_attn.q_norm.weight", Size::one,
     Size::head},
    {"layers.#.attn.k_norm", "blk.#.attn_k_norm.weight", "model.layers.#.self_attn.k_norm.weight", Size::one,
     Size::head},
};

ModelConfig from_gguf(SourceConfig& source) { return gguf_decoder(source); }

ModelConfig from_hugging_face(SourceConfig& source) { return hugging_face_qwen(source); }

}  // namespace

const Architecture kQwen3 = {.gguf = "qwen3",
                             .model_type = "qwen3",
                             .class_name = "Qwen3ForCausalLM",
                             .tensors = kMore,
                             .from_gguf = from_gguf,
                             .from_hugging_face = from_hugging_face};

}  // namespace loam
