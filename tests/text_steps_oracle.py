"""Every step of tokenizer.json against PyPI's `tokenizers`: normalizers, pre-tokenizers, decoders, added tokens and
post-processors, on every code point alone and on random text."""
import base64
import json
import os
import random
import struct
import sys
import tempfile
import unicodedata

from oracle_support import FULL, SEED, TOOL, WORDS, assigned, count, random_text, tool

try:
    from tokenizers import Tokenizer
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

os.environ["RUST_BACKTRACE"] = "0"
COUNT = count(150, 3000)
failures = 0


def check(name, inputs, wants, gots):
    global failures
    assert len(inputs) == len(wants) == len(gots), (name, len(inputs), len(gots))
    bad = [(i, w, g) for i, w, g in zip(inputs, wants, gots) if w != g]
    for i, w, g in bad[:3]:
        print(f"{name}: {i!r}\n  want {w!r}\n  got  {g!r}")
    failures += bool(bad)
    if bad:
        print(f"{name}: {len(bad)} of {len(inputs)} differ")


def with_step(kind, step):
    root = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}
    return Tokenizer.from_str(json.dumps({**root, kind: step}))


# --- every code point alone -------------------------------------------------------------------------------------------

def blocks(before, after):
    # Behind these only ideographs, private ones and nothing: left to the full tests.
    codes = [c for c in range(0x110000) if not 0xd800 <= c < 0xe000 and (FULL or c < 0x20000 or c & 0xffff < 0x200)]
    for i in range(0, len(codes), 256):
        yield "".join(before + chr(c) + after for c in codes[i:i + 256])


def report_points(name, differing):
    """Code points of a later Unicode than the libraries' may differ from an oracle of another version."""
    global failures
    real = [c for c in differing if unicodedata.category(chr(c)) != "Cn"]
    if differing:
        print(f"{name}: {len(differing)} code points differ, {len(real)} of Unicode {unicodedata.unidata_version}: "
              + " ".join(f"{c:x}" for c in (real or differing)[:40]))
    failures += bool(real)


def every_code_point(kind, command, step, before, after, oracle):
    texts = list(blocks(before, after))
    gots = tool(command, [{"step": step, "text": t} for t in texts])
    differing = []
    for text, got in zip(texts, gots):
        if oracle(text) == got:
            continue
        singles = [before + c + after for c in text[len(before)::len(before) + 1 + len(after)]]
        for s, g in zip(singles, tool(command, [{"step": step, "text": s} for s in singles])):
            if oracle(s) != g:
                differing.append(ord(s[len(before)]))
    report_points(json.dumps(step), differing)


def code_points():
    bert = {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    for step in [{"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")] + \
            [{**bert, part: True} for part in ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")]:
        n = with_step("normalizer", step).normalizer
        every_code_point("normalizer", "normalize", step, "", "|", n.normalize_str)
        if step["type"] in ("NFC", "NFKD"):  # the order of marks, and what composes
            every_code_point("normalizer", "normalize", step, "a\u0345", "\u0334|", n.normalize_str)
    for step in ({"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
                 {"type": "Digits", "individual_digits": True}, {"type": "BertPreTokenizer"}):
        p = with_step("pre_tokenizer", step).pre_tokenizer
        every_code_point("pre_tokenizer", "pretokenize", step, "a", "a", lambda t: [w for w, _ in p.pre_tokenize_str(t)])
    scripts = {"type": "UnicodeScripts"}
    p = with_step("pre_tokenizer", scripts).pre_tokenizer
    for before in ("a", "\u4e00", "!", "\u05d0", "\u0300", "\u0905", "\u0589") if FULL else ("a", "!"):
        every_code_point("pre_tokenizer", "pretokenize", scripts, before, "", lambda t: [w for w, _ in p.pre_tokenize_str(t)])


# --- random text ------------------------------------------------------------------------------------------------------

def darts(entries):
    """A charsmap: a double-array trie of {bytes: replacement}, as SentencePiece stores it."""
    texts, places = bytearray(), {}
    for key, value in entries.items():
        places[key] = len(texts)
        texts += value.encode() + b"\0"
    root = {}
    for key in entries:
        node = root
        for b in key:
            node = node.setdefault(b, {})
        node[None] = places[key]
    units, used = {0: 0}, {0}

    def place(node, at):
        labels = [0 if b is None else b for b in node]
        base = 1
        while any(base ^ b in used for b in labels) or (base ^ at) >= 1 << 21:
            base += 1
        used.update(base ^ b for b in labels)
        units[at] |= (base ^ at) << 10 | (256 if None in node else 0)
        for b, child in node.items():
            if b is None:
                units[base] = child | 1 << 31
            else:
                units[base ^ b] = b
                place(child, base ^ b)
    place(root, 0)
    size = (max(units) | 255) + 1
    trie = struct.pack(f"<{size}I", *[units.get(i, 0) for i in range(size)])
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + bytes(texts)).decode()


def normalizer_steps(rng):
    yes_no = (True, False)
    entries = {k.encode(): v for k, v in {
        "\ufb01": "fi", "e\u0301": "\u00e9", "\u212b": "\u00c5", "\u00bd": "1\u20442", "\u00a0": " ", "\t": " ", "\n": " ", "\r": " ",
        "\r\n": "\n", "\u200b": "", "\u3000": " ", "A": "a", "\u0301": "'", "\u30ab": "ka", "\u30ab\u30bf": "kata", "\u1112\u1161\u11ab": "\ud55c",
        "x86": "y", "\u2581": "_", "\U0001f468": "man", "\u0939\u093f": "hi", "\u2603\ufe0f": "snow"}.items()}
    yield from ({"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"))
    yield from ({"type": "Strip", "strip_left": l, "strip_right": r} for l in yes_no for r in yes_no)
    yield from ({"type": "BertNormalizer", "clean_text": c, "handle_chinese_chars": h, "strip_accents": s, "lowercase": l}
                for c in yes_no for h in yes_no for s in (None, True, False) for l in yes_no)
    yield from ({"type": "Prepend", "prepend": p} for p in ("\u2581", "ab", ""))
    for pattern in ({"String": " "}, {"String": "\u2581\u2581"}, {"String": "."}, {"String": ""}, {"Regex": " {2,}"}, {"Regex": r"\s"},
                    {"Regex": r"(?=\d)"}, {"Regex": r"\d*"}, {"Regex": "[aeiou]+|\\p{Han}"}, {"Regex": "``|''"}, {"Regex": "^ "}):
        yield from ({"type": "Replace", "pattern": pattern, "content": c} for c in ("\u2581", "", "$0x"))
    precompiled = {"type": "Precompiled", "precompiled_charsmap": darts(entries)}
    yield precompiled
    yield {"type": "Sequence", "normalizers": []}
    yield {"type": "Sequence", "normalizers": [
        precompiled, {"type": "Strip", "strip_left": False, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}]}
    yield {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]}
    yield {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                               {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}


BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
# Patterns of real vocabularies, which we scan by hand.
QUOTED, TAIL = "(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER, NOT_WORD = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}", r"[^\r\n\p{L}\p{N}]?"
cased = lambda u, l, end: f"{NOT_WORD}[{u}]*[{l}]+{end}|{NOT_WORD}[{u}]+[{l}]*{end}|"
SCANNED = {
    "qwen2": QUOTED + "|" + NOT_WORD + r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + TAIL,
    "llama3": QUOTED + "|" + NOT_WORD + r"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + TAIL,
    "qwen35": QUOTED + "|" + NOT_WORD + r"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + TAIL,
    "o200k": cased(UPPER, LOWER, QUOTED + "?") + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + TAIL,
    "tekken": cased(UPPER, LOWER, "") + r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + TAIL,
    "kimi": r"[\p{Han}]+|" + cased(UPPER + r"&&[^\p{Han}]", LOWER + r"&&[^\p{Han}]", QUOTED + "?") + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + TAIL,
    "deepseek": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]" + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + TAIL,
    "digits": r"\p{N}{1,3}", "cjk": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"}


def pre_tokenizer_steps():
    yes_no = (True, False)
    split = lambda pattern, behavior="Isolated", invert=False: {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
    byte_level = lambda prefix, regex: {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
    yield from (byte_level(p, r) for p in yes_no for r in yes_no)
    for pattern in ({"String": " "}, {"String": "\u2581"}, {"String": "''"}, {"String": ""}, {"Regex": r"\s+"}, {"Regex": r"\d{2}"},
                    {"Regex": r"(?=[A-Z])"}, {"Regex": r"\d*"}, {"Regex": r"\b"}, {"Regex": "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"}):
        yield from (split(pattern, b, i) for b in BEHAVIORS for i in yes_no)
    yield from (split({"Regex": p}) for p in SCANNED.values())
    yield from (split({"Regex": SCANNED[name]}, "Removed", True) for name in ("qwen2", "digits"))
    yield from ({"type": t} for t in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts"))
    yield from ({"type": "Punctuation", "behavior": b} for b in BEHAVIORS)
    yield {"type": "Punctuation"}
    yield from ({"type": "Digits", "individual_digits": i} for i in yes_no)
    yield from ({"type": "Metaspace", "replacement": r, "prepend_scheme": p, "split": s}
                for r in ("\u2581", "_") for p in ("always", "first", "never") for s in yes_no)
    yield {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    yield from ({"type": "CharDelimiterSplit", "delimiter": d} for d in ("|", " ", "\u2581"))
    yield from ({"type": "FixedLength", "length": n} for n in (1, 3, 7))
    sequence = lambda *steps: {"type": "Sequence", "pretokenizers": list(steps)}
    yield sequence()
    yield sequence({"type": "Digits", "individual_digits": True}, byte_level(False, True))
    yield sequence({"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True})
    yield sequence({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True, True), {"type": "Digits", "individual_digits": False},
                   split({"Regex": "[0-9][0-9][0-9]"}))
    yield sequence({"type": "UnicodeScripts"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True})
    yield sequence(split({"String": "a"}, "MergedWithNext"), {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True})
    yield sequence({"type": "WhitespaceSplit"}, {"type": "Whitespace"}, {"type": "FixedLength", "length": 2})


def decoder_steps():
    yes_no = (True, False)
    yield None
    yield from ({"type": t} for t in ("ByteFallback", "Fuse"))
    yield {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield from ({"type": "Metaspace", "replacement": r, "prepend_scheme": p, "split": True} for r in ("\u2581", "a") for p in ("always", "first", "never"))
    yield from ({"type": "WordPiece", "prefix": p, "cleanup": c} for p in ("##", "a", "") for c in yes_no)
    yield from ({"type": "BPEDecoder", "suffix": s} for s in ("</w>", "a"))
    yield from ({"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": c} for c in yes_no)
    yield from ({"type": "Strip", "content": c, "start": a, "stop": 0} for c in (" ", "\u2581", "a") for a in (0, 1, 2))
    yield {"type": "Strip", "content": "a", "start": 0, "stop": 1}
    yield from ({"type": "Replace", "pattern": p, "content": " "} for p in ({"String": "\u2581"}, {"Regex": r"\d+|^a"}, {"Regex": "(?=a)"}))
    sequence = lambda *steps: {"type": "Sequence", "decoders": list(steps)}
    replace, fallback, fuse = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}
    yield sequence()
    yield sequence(replace, fallback, fuse, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
    yield sequence(fallback, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True})
    yield sequence(fallback, {"type": "WordPiece", "prefix": "##", "cleanup": True}, fuse, {"type": "Replace", "pattern": {"Regex": " +"}, "content": " "})
    yield sequence({"type": "Strip", "content": "a", "start": 1, "stop": 0}, fuse, {"type": "Strip", "content": " ", "start": 2, "stop": 0})


def random_steps(rng):
    texts = [random_text(rng) for _ in range(COUNT)] + ["", " ", "a", "\r\n", " a ", "\u00e9", "  "]
    plain = [assigned(t) for t in texts]
    for step in normalizer_steps(rng):
        inputs = plain if "Regex" in json.dumps(step) else texts
        n = with_step("normalizer", step).normalizer
        check(json.dumps(step)[:300], inputs, [n.normalize_str(t) for t in inputs], tool("normalize", [{"step": step, "text": t} for t in inputs]))
    for step in pre_tokenizer_steps():
        scanned = step.get("pattern", {}).get("Regex") in SCANNED.values() and not step["invert"]
        inputs = texts if scanned or "Regex" not in json.dumps(step) else plain
        p = with_step("pre_tokenizer", step).pre_tokenizer
        check(json.dumps(step), inputs, [[w for w, _ in p.pre_tokenize_str(t) if w] for t in inputs],
              tool("pretokenize", [{"step": step, "text": t} for t in inputs]))
    lists = []
    for _ in range(COUNT):
        tokens = [rng.choice([rng.choice(WORDS) or "a", "##" + rng.choice("abc"), "\u2581" + rng.choice("abc "), rng.choice(["a", "aa", ".", "n't", " do not", "|"]),
                              f"<0x{rng.randrange(256):02X}>", "<0x41>", "<0xe2>", "<0x96>", "<0x81>", "\u0120" + rng.choice("abc"), "x</w>"])
                  for _ in range(rng.randrange(1, 12))]
        lists.append(tokens)
    for step in decoder_steps():
        usable = [t for t in lists if not (step and "stop" in json.dumps(step) and '"stop": 1' in json.dumps(step) and "a" in t)]
        if step is None:  # tokens joined by spaces; that decoder has no object of its own
            wants = [" ".join(t) for t in usable]
        else:
            d = with_step("decoder", step).decoder
            wants = [d.decode(t) for t in usable]
        gots = tool("decode_step", [{"step": step, "tokens": t} for t in usable])
        both = [(t, w, g) for t, w, g in zip(usable, wants, gots) if g is not None]  # null: bytes that are not UTF-8
        check(json.dumps(step), *map(list, zip(*both)))


# --- whole tokenizers: added tokens and post-processors ----------------------------------------------------------------

def byte_alphabet():
    chars, extra = {}, 256
    for b in range(256):
        printable = 0x21 <= b <= 0x7e or 0xa1 <= b <= 0xac or b >= 0xae
        chars[b] = chr(b if printable else extra)
        extra += not printable
    return chars


def encoded(oracle, text, add_special):
    try:
        return oracle.encode(text, add_special_tokens=add_special).ids
    except BaseException as e:  # the oracle panics where one token's rstrip takes the spaces that another consists of
        if type(e).__name__ != "PanicException":
            raise
        return None


def whole_tokenizers(rng, folder):
    vocab = {c: i for i, c in enumerate(byte_alphabet().values())}
    contents = ["<s>", "</s>", "<|im_start|>", "<|im", "<mask>", "<R>", "<both>", "wo rd", "Word", "\u00e9t\u00e9", "  ", "\n", "ab", "<a>", "\u0301x", "\u2581y"]
    normalizers = [None, {"type": "Lowercase"}, {"type": "NFC"}, {"type": "NFD"}, {"type": "StripAccents"},
                   {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
                   {"type": "Strip", "strip_left": True, "strip_right": False}]
    pres = [None, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}, {"type": "Whitespace"}]
    special = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    template = lambda before, after: {"type": "TemplateProcessing", "single": [special(x) for x in before] + [{"Sequence": {"id": "A", "type_id": 0}}] + [special(x) for x in after],
                                      "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                                      "special_tokens": {x: {"id": x, "ids": [256 + contents.index(x)], "tokens": [x]} for x in ("<s>", "</s>")}}
    bert = {"sep": ["</s>", 257], "cls": ["<s>", 256]}
    byte_level_post = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    posts = [None, template(["<s>"], ["</s>"]), template([], ["</s>", "</s>"]), template(["<s>", "<s>"], []), {"type": "BertProcessing", **bert},
             {"type": "RobertaProcessing", **bert, "trim_offsets": True, "add_prefix_space": True}, byte_level_post,
             {"type": "Sequence", "processors": [byte_level_post, template(["<s>"], [])]}]
    for number in range(60 if FULL else 24):
        added = [{"id": 256 + i, "content": c, "single_word": rng.random() < 0.25, "lstrip": rng.random() < 0.3, "rstrip": rng.random() < 0.3,
                  "normalized": rng.random() < 0.5 and not (c.isspace() and number % 8 == 7),  # Strip would leave nothing of it
                  "special": i < 2 or rng.random() < 0.3} for i, c in enumerate(contents)]
        pre = [rng.choice(pres)] if rng.random() < 0.5 else []
        pre = [p for p in pre if p] + [{"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": rng.random() < 0.5}]
        root = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizers[number % len(normalizers)],
                "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre}, "post_processor": rng.choice(posts),
                "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                          "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": []}}
        path = os.path.join(folder, f"{number}.json")
        with open(path, "w") as f:
            json.dump(root, f)
        oracle = Tokenizer.from_file(path)
        words = contents + [c.lower() for c in contents] + [c[:-1] for c in contents] + WORDS[:20]
        texts = [assigned(random_text(rng, words=words)) for _ in range(COUNT // 2)] + ["", " ", "<s>", "<mask> <mask>", "  a  "]
        for add, parse in ((True, True), (False, True), (False, False)):
            oracle.encode_special_tokens = not parse
            wants = [encoded(oracle, t, add) for t in texts]
            texts = [t for t, w in zip(texts, wants) if w is not None]
            wants = [w for w in wants if w is not None]
            gots = tool("encode", [{"text": t, "add_special": add, "parse_special": parse} for t in texts], path)
            if wants != gots:
                print([(a["content"], [k for k in a if a[k] is True]) for a in added], root["normalizer"], pre, root["post_processor"])
            check(f"tokenizer {number} special={add},{parse}", texts, wants, gots)
        both = [(i, oracle.decode(i, skip_special_tokens=False), g) for i, g in zip(wants, tool("decode", wants, path)) if g is not None]
        check(f"tokenizer {number} decode", *map(list, zip(*both)))


def main():
    if not os.path.exists(TOOL):
        print(f"SKIPPED: {TOOL} is not built")
        sys.exit(77)
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    only = sys.argv[1:]
    if not only or "points" in only:
        code_points()
    if not only or "steps" in only:
        random_steps(rng)
    if only and "whole" not in only:
        return
    with tempfile.TemporaryDirectory() as folder:
        whole_tokenizers(rng, folder)
    print(f"{failures} checks failed" if failures else "all equal")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
