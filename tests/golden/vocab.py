# A small byte-level BPE vocabulary of our own making: 256 bytes, 48 merges, 3 control tokens = 307 tokens.
import json
import os

MERGES = """Ġ t,Ġ a,h e,i n,r e,o n,Ġt he,e r,Ġ s,a t,Ġ w,o u,n d,Ġ o,e n,e s,i t,o r,in g,a n,i s,a l,Ġ c,Ġ m,Ġ b,Ġ p,Ġ f,\
l e,a r,e d,r o,Ġ l,Ġo f,Ġ i,Ġa nd,i c,Ġ d,o m,l o,Ġt o,o w,a s,Ġ in,l l,Ġ he,u r,v e,Ġl o""".split(",")
CONTROL = ["<|end|>", "<|start|>", "<|stop|>"]
TEMPLATE = ("{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|stop|>\n"
            "{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}")


def byte_letters():
    """The printable stand-in of each byte in GPT-2's byte-level alphabet."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, extra = {}, 0
    for byte in range(256):
        if byte in plain:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + extra)
            extra += 1
    return letters


def tokens():
    merged = [m.replace(" ", "") for m in MERGES]
    return CONTROL + [byte_letters()[b] for b in range(256)] + merged


def tokenizer_json():
    vocab = {t: i for i, t in enumerate(tokens())}
    assert len(vocab) == 307 and all(a in vocab and b in vocab for a, b in (m.split(" ") for m in MERGES))
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, t in enumerate(CONTROL)],
        "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocab, "merges": [m.split(" ") for m in MERGES]},
    }


def tokenizer_config():
    return {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|end|>", "eos_token": "<|stop|>",
            "pad_token": "<|end|>", "add_bos_token": False, "chat_template": TEMPLATE}


def write(folder):
    """tokenizer.json and tokenizer_config.json; tests/data/tiny_vocab holds a copy."""
    os.makedirs(folder, exist_ok=True)
    for name, value in (("tokenizer.json", tokenizer_json()), ("tokenizer_config.json", tokenizer_config())):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(value, f, ensure_ascii=False)
            f.write("\n")
