# The weights of the golden models: a function of seed, canonical tensor name and element index, the same here and in
# tests/golden_weights.h. Values are 20-bit integers times a power of two, so both sides have identical f32.
import numpy as np

MASK = (1 << 64) - 1


def fnv1a(name: str) -> int:
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def mix(x):
    """The output function of splitmix64, on an array of uint64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def random_u64(seed: int, name: str, count: int):
    """count integers: mix(mix(seed ^ fnv1a(name)) + (i + 1) * golden ratio)."""
    base = mix(np.array([seed ^ fnv1a(name)], np.uint64))
    return mix(base + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def uniform(seed: int, name: str, count: int):
    """f32 in [-1, 1): a multiple of 2^-19."""
    return ((random_u64(seed, name, count) >> np.uint64(44)).astype(np.int64) - (1 << 19)).astype(np.float32) / np.float32(1 << 19)


def scale_of(name: str) -> float:
    """A power of two by the tensor's part: large enough that attention is not uniform and no layer dies."""
    if name == "embed" or name == "output":
        return 0.5
    if name.endswith(".bias"):
        return 0.5
    if name.endswith(".attn.q") or name.endswith(".attn.k"):
        return 0.25
    return 0.125


def is_gain(name: str) -> bool:
    return name.endswith("norm")


def weights(seed: int, name: str, shape):
    """The canonical tensor: gains in [0.75, 1.25), everything else in [-scale, scale)."""
    u = uniform(seed, name, int(np.prod(shape))).reshape(shape)
    return np.float32(1) + np.float32(0.25) * u if is_gain(name) else np.float32(scale_of(name)) * u
