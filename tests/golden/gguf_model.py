# A GGUF model for golden/llm.py: its config, its tensors by canonical name, and its vocabulary for encoding a text.
import gguf
import numpy as np

from golden import llm

PARTS = {"attn_norm": "attn_norm", "attn.q": "attn_q", "attn.k": "attn_k", "attn.v": "attn_v", "attn.o": "attn_output",
         "attn.q_norm": "attn_q_norm", "attn.k_norm": "attn_k_norm", "attn_post_norm": "post_attention_norm",
         "ffn_norm": "ffn_norm", "ffn.gate": "ffn_gate", "ffn.up": "ffn_up", "ffn.down": "ffn_down",
         "ffn_post_norm": "post_ffw_norm"}


class GgufModel:
    def __init__(self, path):
        self.reader = gguf.GGUFReader(path)
        self.stored = {t.name: t for t in self.reader.tensors}

    def value(self, key, default=None):
        field = self.reader.get_field(key)
        return default if field is None else field.contents()

    def source(self, name):
        fixed = {"embed": "token_embd", "output": "output", "output_norm": "output_norm"}
        base, suffix = (name.removesuffix(".bias"), ".bias") if name.endswith(".bias") else (name, ".weight")
        if base in fixed:
            return fixed[base] + suffix
        _, layer, part = base.split(".", 2)
        return f"blk.{layer}.{PARTS[part]}{suffix}"

    def get(self, name, rows=None):
        """Gains are stored as they are applied, Gemma's too."""
        t = self.stored.get(self.source(name))
        if t is None:
            return None
        return gguf.quants.dequantize(t.data if rows is None else t.data[rows], t.tensor_type).astype(np.float32)

    def config(self):
        a = self.value("general.architecture")
        heads, hidden = self.value(a + ".attention.head_count"), self.value(a + ".embedding_length")
        c = llm.Config(hidden=hidden, layers=self.value(a + ".block_count"), heads=heads,
                       kv_heads=self.value(a + ".attention.head_count_kv"),
                       head_dim=self.value(a + ".attention.key_length", hidden // heads),
                       eps=self.value(a + ".attention.layer_norm_rms_epsilon"), theta=self.value(a + ".rope.freq_base"),
                       interleaved=a == "llama")  # GGUF's llama has its q and k rows permuted for that
        if a == "gemma3":
            c.gelu, c.embed_scale, c.theta_local = True, hidden**0.5, 10000.0
            window = self.value(a + ".attention.sliding_window")
            c.windows = [0 if i % 6 == 5 else window for i in range(c.layers)]
        return c

    def encode(self, text):
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers
        tokens = self.value("tokenizer.ggml.tokens")
        ids = {t: i for i, t in enumerate(tokens)}
        if self.value("tokenizer.ggml.model") == "gpt2":
            merges = [tuple(m.split(" ")) for m in self.value("tokenizer.ggml.merges")]
            t = Tokenizer(models.BPE(ids, merges))
            digits = pre_tokenizers.Split(Regex(r"\p{N}"), "isolated")
            t.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
            return t.encode(text).ids
        out, rest = [self.value("tokenizer.ggml.bos_token_id")], text.replace(" ", "▁")
        while rest:  # longest match: not SentencePiece's own way, but a sequence of real tokens
            size = next(n for n in range(min(32, len(rest)), 0, -1) if rest[:n] in ids)
            out.append(ids[rest[:size]])
            rest = rest[size:]
        return out
