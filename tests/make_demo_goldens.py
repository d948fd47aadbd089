# Golden logits of the demo models: the weights of a GGUF file, dequantized by PyPI's `gguf`, evaluated in numpy float64
# (golden/llm.py) on tests/data/demo/text.txt. Made by hand: python tests/make_demo_goldens.py NAME MODEL.gguf
#   tests/data/demo/NAME.json   tokens; rows (positions); entries (512 vocabulary ids, the same for every row);
#                               top (the 64 best ids of each row); mean, variance and logsumexp of each row's logits
#   tests/data/demo/NAME.f32    (rows, 64 + 512) logits: those of top, then those of entries
# NMSE against these: sum of (x - golden)^2 / sum of golden^2 over all rows and all 576 logits of a row.
import argparse
import json
import os

import numpy as np

from golden import llm, weights
from golden.gguf_model import GgufModel

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "demo")
# name -> (tokens, positions); Gemma's window of 512 must be left behind
SIZES = {"smollm2": (576, [0, 1, 2, 3, 7, 15, 31, 63, 64, 127, 255, 256, 257, 383, 511, 575]),
         "gemma": (576, [0, 1, 15, 63, 255, 511, 512, 575]),
         "qwen": (72, [0, 1, 7, 15, 31, 47, 63, 71])}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("name", choices=SIZES)
    p.add_argument("model")
    p.add_argument("--all-logits", help="also write the logits of every position here (.npy, f32)")
    a = p.parse_args()
    length, rows = SIZES[a.name]
    model = GgufModel(a.model)
    with open(os.path.join(DEMO, "text.txt")) as f:
        tokens = model.encode(f.read())
    print(len(tokens), "tokens in the text")
    assert len(tokens) >= length
    tokens = tokens[:length]
    every = list(range(length)) if a.all_logits else rows
    logits = llm.forward(model.config(), model.get, tokens, every)
    if a.all_logits:
        np.save(a.all_logits, logits.astype(np.float32))
        logits = logits[rows]
    entries = np.sort(weights.random_u64(1, a.name, 512) % np.uint64(logits.shape[1])).astype(np.int64)
    top = np.argsort(-logits, axis=1, kind="stable")[:, :64]
    values = np.concatenate([np.take_along_axis(logits, top, 1), logits[:, entries]], axis=1)
    peak = logits.max(axis=1)
    stats = {"mean": logits.mean(axis=1), "variance": logits.var(axis=1),
             "logsumexp": peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))}
    values.astype("<f4").tofile(os.path.join(DEMO, a.name + ".f32"))
    out = {"tokens": tokens, "rows": rows, "vocab": logits.shape[1], "entries": entries.tolist(), "top": top.tolist(),
           **{k: [float(np.float32(x)) for x in v] for k, v in stats.items()}}
    with open(os.path.join(DEMO, a.name + ".json"), "w") as f:
        f.write("{" + ",\n ".join(f'"{k}": {json.dumps(v)}' for k, v in out.items()) + "}\n")
    print("top of the last row:", top[-1, :5], values[-1, :5])


if __name__ == "__main__":
    main()
