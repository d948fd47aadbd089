# An independent evaluation of the decoder families in numpy float64: plain loops over layers, no caching, the whole
# sequence at once. Angles of the rotary embedding are float64 too. It is the oracle of the golden logits, and it shares
# nothing with the runtime but the canonical tensor names.
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Config:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    theta: float
    theta_local: float = 0.0        # base of the layers with a window; 0: theta
    windows: list = field(default_factory=list)  # per layer, 0: all of the past
    gelu: bool = False              # tanh GELU instead of SiLU in the gate
    embed_scale: float = 1.0
    score_scale: float = 0.0        # 0: 1 / sqrt(head_dim)
    interleaved: bool = False       # rotary pairs (2i, 2i + 1) instead of (i, i + head_dim / 2)
    rope_scaling: dict = field(default_factory=dict)  # of the layers without a window


def inverse_frequencies(c: Config, windowed: bool):
    theta = c.theta_local if windowed and c.theta_local else c.theta
    inv = theta ** (-np.arange(0, c.head_dim, 2, dtype=np.float64) / c.head_dim)
    s = {} if windowed else c.rope_scaling
    if s.get("type") == "linear":
        inv = inv / s["factor"]
    elif s.get("type") == "llama3":
        wavelength = 2 * np.pi / inv
        low, high, old = s["low_freq_factor"], s["high_freq_factor"], s["original_max_position_embeddings"]
        smooth = np.clip((old / wavelength - low) / (high - low), 0.0, 1.0)
        inv = (1 - smooth) * inv / s["factor"] + smooth * inv
    return inv


def rotate(x, inv, interleaved):  # (tokens, heads, head_dim)
    angle = np.arange(x.shape[0])[:, None, None] * inv
    cos, sin = np.cos(angle), np.sin(angle)
    half = x.shape[-1] // 2
    first, second = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    out = np.empty_like(x)
    a, b = first * cos - second * sin, first * sin + second * cos
    if interleaved:
        out[..., 0::2], out[..., 1::2] = a, b
    else:
        out[..., :half], out[..., half:] = a, b
    return out


def rms_norm(x, gain, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * gain


def silu(x):
    return x / (1 + np.exp(-x))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def attention(c: Config, q, k, v, window):
    """q (tokens, heads, head_dim), k and v (tokens, kv_heads, head_dim) -> (tokens, heads * head_dim)"""
    tokens = q.shape[0]
    distance = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
    seen = (distance >= 0) & ((distance < window) if window else True)
    scale = c.score_scale or c.head_dim**-0.5
    out = np.empty_like(q)
    for h in range(c.heads):
        kv = h * c.kv_heads // c.heads
        scores = np.where(seen, q[:, h] @ k[:, kv].T * scale, -np.inf)
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        out[:, h] = p / p.sum(axis=-1, keepdims=True) @ v[:, kv]
    return out.reshape(tokens, -1)


def forward(c: Config, get, tokens, rows):
    """Logits (rows, vocab) in float64. get(name) gives a canonical tensor (gains as they are applied) or None;
    get("embed", tokens) gives rows of the embedding."""
    def linear(x, name):
        y = x @ get(name).astype(np.float64).T
        bias = get(name + ".bias")
        return y if bias is None else y + bias

    def norm(x, name):
        gain = get(name)
        return x if gain is None else rms_norm(x, gain.astype(np.float64), c.eps)

    x = get("embed", tokens).astype(np.float64) * c.embed_scale
    for i in range(c.layers):
        p = f"layers.{i}."
        window = c.windows[i] if c.windows else 0
        inv = inverse_frequencies(c, window > 0)
        h = norm(x, p + "attn_norm")
        q = linear(h, p + "attn.q").reshape(len(tokens), c.heads, c.head_dim)
        k = linear(h, p + "attn.k").reshape(len(tokens), c.kv_heads, c.head_dim)
        v = linear(h, p + "attn.v").reshape(len(tokens), c.kv_heads, c.head_dim)
        q = rotate(norm(q, p + "attn.q_norm"), inv, c.interleaved)
        k = rotate(norm(k, p + "attn.k_norm"), inv, c.interleaved)
        x = x + norm(linear(attention(c, q, k, v, window), p + "attn.o"), p + "attn_post_norm")
        h = norm(x, p + "ffn_norm")
        gate = linear(h, p + "ffn.gate")
        h = (gelu_tanh(gate) if c.gelu else silu(gate)) * linear(h, p + "ffn.up")
        x = x + norm(linear(h, p + "ffn.down"), p + "ffn_post_norm")
    x = norm(x, "output_norm")[rows]
    head = get("output")
    head = get("embed") if head is None else head
    return np.concatenate([x @ head[i:i + 16384].astype(np.float64).T for i in range(0, head.shape[0], 16384)], axis=1)


def nmse(a, b):
    return float(np.sum((a - b) ** 2) / np.sum(b**2))
