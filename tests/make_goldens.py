# Golden logits of tiny random models, one folder per model under tests/data/models. Made by hand with torch and
# transformers; the weights are not committed, golden/weights.py and golden_weights.h make them again from the seed.
#   python tests/make_goldens.py                        write tests/data/models (config, tokens, logits)
#   python tests/make_goldens.py --write-folder DIR     write every model as a Hugging Face folder under DIR
#                                [--only NAME] [--dtype f32|f16|bf16] [--shards N] [--old-config]
# The Hugging Face modules run in float64 with eager attention; inside, they compute the RMS norm, the softmax and the
# rotary angles in float32 whatever the model's type. golden/llm.py, all float64, must agree to NMSE 1e-11.
#
# Names (seeded by the canonical one):
#   model.embed_tokens -> embed       lm_head -> output (absent when tied)      model.norm -> output_norm
#   model.layers.N.input_layernorm -> layers.N.attn_norm            self_attn.{q,k,v,o}_proj -> attn.{q,k,v,o}
#   self_attn.{q,k}_norm -> attn.{q,k}_norm                         mlp.{gate,up,down}_proj -> ffn.{gate,up,down}
#   llama, qwen: post_attention_layernorm -> ffn_norm
#   gemma3: post_attention_layernorm -> attn_post_norm, pre_feedforward_layernorm -> ffn_norm,
#           post_feedforward_layernorm -> ffn_post_norm; its norms store the gain minus 1
import argparse
import json
import os
import re

import numpy as np

from golden import llm, vocab, weights

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = [0, 1, 2, 7, 15, 16, 17, 23, 31, 32, 38, 39]  # around the window of 16 and the end
LENGTH, VOCAB = 40, 307
LINEAR = {"rope_type": "linear", "factor": 4.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
COMMON = dict(vocab_size=VOCAB, rms_norm_eps=1e-5, max_position_embeddings=512, bos_token_id=0, eos_token_id=2,
              pad_token_id=0, tie_word_embeddings=False)

# name -> (seed, family, sizes); hidden sizes of 72 and 80 are no multiples of 32
MODELS = {
    "llama-tied": (101, "llama", dict(hidden_size=96, intermediate_size=200, num_hidden_layers=3, num_attention_heads=6,
                                      num_key_value_heads=2, head_dim=16, tie_word_embeddings=True, theta=10000.0)),
    "llama-untied": (102, "llama", dict(hidden_size=72, intermediate_size=136, num_hidden_layers=4,
                                        num_attention_heads=4, num_key_value_heads=1, head_dim=32, theta=500000.0)),
    "llama-linear": (103, "llama", dict(hidden_size=96, intermediate_size=160, num_hidden_layers=3,
                                        num_attention_heads=2, num_key_value_heads=2, head_dim=80, theta=10000.0,
                                        scaling=LINEAR)),
    "llama-llama3": (104, "llama", dict(hidden_size=96, intermediate_size=160, num_hidden_layers=3,
                                        num_attention_heads=8, num_key_value_heads=2, head_dim=32, theta=10000.0,
                                        scaling=LLAMA3)),
    "qwen2": (105, "qwen2", dict(hidden_size=80, intermediate_size=144, num_hidden_layers=3, num_attention_heads=5,
                                 num_key_value_heads=1, theta=1000000.0, tie_word_embeddings=True)),
    "qwen3": (106, "qwen3", dict(hidden_size=96, intermediate_size=168, num_hidden_layers=4, num_attention_heads=4,
                                 num_key_value_heads=2, head_dim=32, theta=1000000.0, rms_norm_eps=3e-5)),
    "gemma3": (107, "gemma3_text", dict(hidden_size=96, intermediate_size=200, num_hidden_layers=6,
                                        num_attention_heads=4, num_key_value_heads=2, head_dim=32, theta=1000000.0,
                                        theta_local=10000.0, scaling={"rope_type": "linear", "factor": 8.0},
                                        sliding_window=16, pattern=3, query_pre_attn_scalar=24,
                                        tie_word_embeddings=True, rms_norm_eps=3e-5)),
    # the pattern of 6 and the score scale that GGUF takes for granted
    "gemma3-head256": (108, "gemma3_text", dict(hidden_size=80, intermediate_size=136, num_hidden_layers=7,
                                                num_attention_heads=2, num_key_value_heads=1, head_dim=256,
                                                theta=1000000.0, theta_local=10000.0, sliding_window=20, pattern=6,
                                                query_pre_attn_scalar=256, tie_word_embeddings=True,
                                                rms_norm_eps=3e-5)),
}


def hf_name(name: str, gemma: bool) -> str:
    fixed = {"embed": "model.embed_tokens.weight", "output": "lm_head.weight", "output_norm": "model.norm.weight"}
    if name in fixed:
        return fixed[name]
    layer, part = re.fullmatch(r"layers\.(\d+)\.(.*)", name).groups()
    suffix = "bias" if part.endswith(".bias") else "weight"
    part = part.removesuffix(".bias")
    part = re.sub(r"^attn\.([qkvo])$", r"self_attn.\1_proj", part)
    part = re.sub(r"^attn\.([qk])_norm$", r"self_attn.\1_norm", part)
    part = re.sub(r"^ffn\.(\w+)$", r"mlp.\1_proj", part)
    norms = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
    if gemma:
        norms.update(ffn_norm="pre_feedforward_layernorm", attn_post_norm="post_attention_layernorm",
                     ffn_post_norm="post_feedforward_layernorm")
    return f"model.layers.{layer}.{norms.get(part, part)}.{suffix}"


def sizes_of(name):
    seed, family, own = MODELS[name]
    p = {**COMMON, **own}
    p.setdefault("head_dim", p["hidden_size"] // p["num_attention_heads"])
    return seed, family, p


def tensors(name):
    """[(canonical name, shape)], sorted by name."""
    _, family, p = sizes_of(name)
    gemma, h, f, d = family == "gemma3_text", p["hidden_size"], p["intermediate_size"], p["head_dim"]
    q, kv = p["num_attention_heads"] * d, p["num_key_value_heads"] * d
    out = {"embed": (VOCAB, h), "output_norm": (h,)}
    if not p["tie_word_embeddings"]:
        out["output"] = (VOCAB, h)
    for i in range(p["num_hidden_layers"]):
        layer = {"attn_norm": (h,), "attn.q": (q, h), "attn.k": (kv, h), "attn.v": (kv, h), "attn.o": (h, q),
                 "ffn_norm": (h,), "ffn.gate": (f, h), "ffn.up": (f, h), "ffn.down": (h, f)}
        if family == "qwen2":
            layer.update({"attn.q.bias": (q,), "attn.k.bias": (kv,), "attn.v.bias": (kv,)})
        if family in ("qwen3", "gemma3_text"):
            layer.update({"attn.q_norm": (d,), "attn.k_norm": (d,)})
        if gemma:
            layer.update({"attn_post_norm": (h,), "ffn_post_norm": (h,)})
        out.update({f"layers.{i}.{k}": v for k, v in layer.items()})
    return sorted(out.items())


def hf_tensors(name):
    """{Hugging Face name: f32 array}"""
    seed, family, _ = sizes_of(name)
    gemma = family == "gemma3_text"
    out = {}
    for canonical, shape in tensors(name):
        w = weights.weights(seed, canonical, shape)
        out[hf_name(canonical, gemma)] = w - 1 if gemma and weights.is_gain(canonical) else w
    return out


def layer_types(p):
    return ["full_attention" if (i + 1) % p["pattern"] == 0 else "sliding_attention"
            for i in range(p["num_hidden_layers"])]


PLAIN = ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "head_dim", "rms_norm_eps", "max_position_embeddings", "bos_token_id", "eos_token_id",
         "pad_token_id", "tie_word_embeddings", "sliding_window", "query_pre_attn_scalar"]


def hf_config(name):
    from transformers import Gemma3TextConfig, LlamaConfig, Qwen2Config, Qwen3Config
    _, family, p = sizes_of(name)
    args = {k: p[k] for k in PLAIN if k in p}
    if family == "qwen2":
        args.pop("head_dim")
    rope = {"rope_type": "default", **p.get("scaling", {}), "rope_theta": p["theta"]}
    if family == "gemma3_text":
        args["layer_types"] = layer_types(p)
        rope = {"full_attention": rope, "sliding_attention": {"rope_type": "default", "rope_theta": p["theta_local"]}}
    classes = {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "gemma3_text": Gemma3TextConfig}
    return classes[family](rope_parameters=rope, attn_implementation="eager", **args)


def old_config(name):
    """The same model with the keys that transformers wrote before version 5."""
    _, family, p = sizes_of(name)
    architectures = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
                     "gemma3_text": "Gemma3ForCausalLM"}
    out = {"architectures": [architectures[family]], "model_type": family, "torch_dtype": "float32",
           **{k: p[k] for k in PLAIN if k in p}, "rope_theta": p["theta"]}
    out["hidden_activation" if family == "gemma3_text" else "hidden_act"] = (
        "gelu_pytorch_tanh" if family == "gemma3_text" else "silu")
    if family == "qwen2":
        out.pop("head_dim")
        out["use_sliding_window"] = False
    if "scaling" in p:
        out["rope_scaling"] = p["scaling"]
    if family == "gemma3_text":
        out.update(rope_local_base_freq=p["theta_local"], sliding_window_pattern=p["pattern"])
    return out


def hf_logits(name, config, tokens):
    import torch
    from transformers import AutoModelForCausalLM
    model = AutoModelForCausalLM.from_config(config).eval().double()
    state = {k: torch.from_numpy(v).double() for k, v in hf_tensors(name).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    assert set(missing) <= tied and not unexpected, (missing, unexpected)
    model.tie_weights()
    with torch.no_grad():
        return model(torch.tensor([tokens], dtype=torch.long)).logits[0, ROWS].numpy()


def own_logits(name, tokens):
    seed, family, p = sizes_of(name)
    gemma, shapes = family == "gemma3_text", dict(tensors(name))
    scaling = dict(p.get("scaling", {}))
    scaling["type"] = scaling.pop("rope_type", "")
    config = llm.Config(
        hidden=p["hidden_size"], layers=p["num_hidden_layers"], heads=p["num_attention_heads"],
        kv_heads=p["num_key_value_heads"], head_dim=p["head_dim"], eps=p["rms_norm_eps"], theta=p["theta"],
        rope_scaling=scaling)
    if gemma:
        config.theta_local, config.gelu, config.embed_scale = p["theta_local"], True, p["hidden_size"] ** 0.5
        config.windows = [p["sliding_window"] if t == "sliding_attention" else 0 for t in layer_types(p)]
        config.score_scale = p["query_pre_attn_scalar"] ** -0.5

    def get(canonical, rows=None):
        if canonical not in shapes:
            return None
        w = weights.weights(seed, canonical, shapes[canonical])
        return w if rows is None else w[rows]
    return llm.forward(config, get, tokens, ROWS)


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def write_golden(name):
    folder = os.path.join(HERE, "data", "models", name)
    os.makedirs(folder, exist_ok=True)
    seed, family, _ = sizes_of(name)
    tokens = [int(t) for t in weights.random_u64(seed, "tokens", LENGTH) % np.uint64(VOCAB)]
    config = hf_config(name)
    logits, own = hf_logits(name, config, tokens), own_logits(name, tokens)
    difference = llm.nmse(own, logits)
    print(f"{name}: logits rms {np.sqrt(np.mean(logits**2)):.3f}, NMSE of the float64 evaluation {difference:.2e}")
    assert difference < 1e-11
    written = json.loads(config.to_json_string(use_diff=False))
    written["architectures"] = old_config(name)["architectures"]
    for noise in ("id2label", "label2id", "_name_or_path", "output_hidden_states", "output_attentions", "return_dict",
                  "problem_type", "chunk_size_feed_forward", "is_encoder_decoder", "use_cache", "initializer_range"):
        written.pop(noise, None)
    write_json(os.path.join(folder, "config.json"), written)
    write_json(os.path.join(folder, "config_old.json"), old_config(name))
    gemma = family == "gemma3_text"
    listed = [{"name": n, "shape": list(s), "source": hf_name(n, gemma),
               "source_offset": -1 if gemma and weights.is_gain(n) else 0} for n, s in tensors(name)]
    body = ",\n  ".join(json.dumps(t) for t in listed)
    with open(os.path.join(folder, "golden.json"), "w") as f:
        f.write(f'{{"seed": {seed},\n "tokens": {tokens},\n "rows": {ROWS},\n "vocab": {VOCAB},\n'
                f' "made_with": "transformers in float64; golden/llm.py agrees to NMSE {difference:.1e}",\n'
                f' "first": {weights.weights(seed, "embed", (4,)).tolist()},\n "tensors": [\n  {body}]}}\n')
    logits.astype("<f4").tofile(os.path.join(folder, "logits.f32"))  # (rows, vocab)


def write_folder(name, folder, dtype, shards, old):
    import torch
    from safetensors.torch import save_file
    os.makedirs(folder, exist_ok=True)
    kind = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]
    state = {k: torch.from_numpy(np.ascontiguousarray(v)).to(kind) for k, v in hf_tensors(name).items()}
    names = sorted(state)
    if shards == 1:
        save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    else:
        index = {}
        for s in range(shards):
            file = f"model-{s + 1:05d}-of-{shards:05d}.safetensors"
            part = {k: state[k] for k in names[s::shards]}
            save_file(part, os.path.join(folder, file), metadata={"format": "pt"})
            index.update({k: file for k in part})
        total = sum(t.numel() * t.element_size() for t in state.values())
        write_json(os.path.join(folder, "model.safetensors.index.json"),
                   {"metadata": {"total_size": total}, "weight_map": index})
    source = os.path.join(HERE, "data", "models", name, "config_old.json" if old else "config.json")
    with open(source) as f:
        write_json(os.path.join(folder, "config.json"), json.load(f))
    vocab.write(folder)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--write-folder")
    p.add_argument("--only", choices=MODELS)
    p.add_argument("--dtype", choices=["f32", "f16", "bf16"], default="f32")
    p.add_argument("--shards", type=int, default=1)
    p.add_argument("--old-config", action="store_true")
    a = p.parse_args()
    for name in [a.only] if a.only else MODELS:
        if a.write_folder:
            write_folder(name, os.path.join(a.write_folder, name), a.dtype, a.shards, a.old_config)
        else:
            write_golden(name)
    if not a.write_folder:
        vocab.write(os.path.join(HERE, "data", "tiny_vocab"))


if __name__ == "__main__":
    main()
