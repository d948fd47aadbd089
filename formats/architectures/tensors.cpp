// The tensors that all decoders have.
#include "formats/architectures.h"

namespace loam {
namespace {

constexpr TensorRule kTensors[] = {
    {"embed", "token_embd.weight", "model.embed_tokens.weight", Size::vocab, Size::dim},
    {"output", "output.weight", "lm_head.weight", Size::vocab, Size::dim, true},
    {"output_norm", "output_norm.weight", "model.norm.weight", Size::one, Size::dim},
    {"layers.#.attn_norm", "blk.#.attn_norm.weight", "model.layers.#.input_layernorm.weight", Size::one, Size::dim},
    {"layers.#.attn.q", "blk.#.attn_q.weight", "model.layers.#.self_attn.q_proj.weight", Size::q, Size::dim},
    {"layers.#.attn.k", "blk.#.attn_k.weight", "model.layers.#.self_attn.k_proj.weight", Size::kv, Size::dim},
    {"layers.#.attn.v", "blk.#.attn_v.weight", "model.layers.#.self_attn.v_proj.weight", Size::kv, Size::dim},
    {"layers.#.attn.o", "blk.#.attn_output.weight", "model.layers.#.self_attn.o_proj.weight", Size::dim, Size::q},
    {"layers.#.ffn_norm", "blk.#.ffn_norm.weight", "model.layers.#.post_attention_layernorm.weight", Size::one,
     Size::dim},
    {"layers.#.ffn.gate", "blk.#.ffn_gate.weight", "model.layers.#.mlp.gate_proj.weight", Size::ffn, Size::dim},
    {"layers.#.ffn.up", "blk.#.ffn_up.weight", "model.layers.#.mlp.up_proj.weight", Size::ffn, Size::dim},
    {"layers.#.ffn.down", "blk.#.ffn_down.weight", "model.layers.#.mlp.down_proj.weight", Size::dim, Size::ffn},
};

}  // namespace

const std::span<const TensorRule> kDecoderTensors = kTensors;

}  // namespace loam
