# Golden blocks of the ggml types that are imported: random raw bytes with scales of all kinds, and the f32 bits that
# PyPI's `gguf` dequantizes them to. Made by hand: python tests/make_gguf_goldens.py
#   tests/data/gguf_blocks.json   per type: name, id, elements and bytes of a block, blocks, offsets into the other file
#   tests/data/gguf_blocks.bin    per type: the raw blocks, then their f32 values (little-endian)
# The blocks of a type are rows of one matrix [n, k]: every scale kind is met in the middle of a row too.
import json
import os

import gguf
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
# offsets of the f16 scales in a block
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [], "TQ1_0": [52],
          "TQ2_0": [64], "F16": [0], "BF16": [0]}
# 1, 0.01, -0.01, +0, -0, smallest and largest subnormal, smallest normal, -65504, an ordinary one
SCALES = [0x3C00, 0x211F, 0xA11F, 0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0xFBFF, 0x2B5D]
EXPONENTS = [0, 1, 2, 3, 100, 119, 121, 127, 128, 252]  # of MXFP4; 0 and 1 give subnormal scales


def raw_blocks(name, rng):
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    if elements == 1:  # plain floats: any finite bits, the special ones first
        bits = rng.integers(0, 1 << 16, 256, dtype=np.uint16)
        bits[:10] = SCALES
        bits[(bits & 0x7C00) == 0x7C00] &= 0xBFFF if name == "F16" else 0xFFFF
        bits[(bits & 0x7F80) == 0x7F80] &= 0xBFFF
        return kind, bits.view(np.uint8).reshape(-1, size)
    count = 30 if elements == 32 else 8
    raw = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for i in range(count):
        for h, offset in enumerate(HALVES[name]):
            scale = SCALES[(i + 3 * h * (i // 10 + 1)) % 10] if count == 30 or i < 7 else 0x1000 + int(rng.integers(4096))
            raw[i, offset:offset + 2] = [scale & 255, scale >> 8]
        if name == "MXFP4":
            raw[i, 0] = EXPONENTS[i % 10]
    return kind, raw


def main():
    rng = np.random.default_rng(20240607)
    data, types = b"", []
    for name in HALVES:
        kind, raw = raw_blocks(name, rng)
        values = gguf.quants.dequantize(raw, kind).astype("<f4").ravel()
        assert np.isfinite(values).all(), name
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        shape = [8, 32] if elements == 1 else [5, 6 * 32] if elements == 32 else [4, 2 * 256]
        assert values.size == shape[0] * shape[1]
        types.append({"name": name, "id": int(kind), "elements": elements, "bytes": size, "shape": shape,
                      "raw": len(data), "values": len(data) + raw.size})
        data += raw.tobytes() + values.tobytes()
    with open(os.path.join(HERE, "data", "gguf_blocks.bin"), "wb") as f:
        f.write(data)
    with open(os.path.join(HERE, "data", "gguf_blocks.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(t) for t in types) + "\n]\n")
    print(len(data), "bytes,", len(types), "types")


if __name__ == "__main__":
    main()
