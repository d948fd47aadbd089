"""Our tokenizer models against PyPI's `tokenizers`, `sentencepiece` and `tiktoken`: tiny vocabularies trained here,
ids and decoded texts compared on random Unicode. LOAM_MODEL_FILES=a:b also compares real files."""
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

TOOL = os.environ.get("LOAM_TEXT_TOOL") or os.path.join(os.environ.get("LOAM_BUILD", "build"), "tests", "text_tool")
SEED = int(os.environ.get("LOAM_SEED", random.randrange(1 << 32) if os.environ.get("LOAM_TEST_FULL") else 1))
COUNT = int(os.environ.get("LOAM_ORACLE_COUNT", 3000 if os.environ.get("LOAM_TEST_FULL") else 300))

WORDS = ("the of and to in is you that it he was for on are as with his they I at be this have from or one had by "
         "tokenization tokenizer unbelievable international running runner runs walked walking talked 2024 3.14159 "
         "na\u00efve \u00c5ngstr\u00f6m Stra\u00dfe \u00fcber print(\"hi\") {}; // -> == \u4f60\u597d \u4e16\u754c "
         "\u3053\u3093\u306b\u3061\u306f \u4e16\u754c\u4eba\u6c11 \ud55c\uad6d\uc5b4 \u0440\u0443\u0441\u0441\u043a\u0438\u0439 "
         "\u0639\u0631\u0628\u064a \u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22 "
         "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2603\ufe0f e\u0301\u0323 \ufb01 \u2167 "
         "aaaaaaa aaaa abababab bababa").split(" ")
SPACES = [" ", " ", " ", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u2028", "\x85", ""]
RANGES = [(0x20, 0x7f), (0, 0x20), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0x1200), (0x1200, 0x2c00),
          (0x2e80, 0x3400), (0x4e00, 0x9fff), (0xac00, 0xd7a4), (0xe000, 0x10000), (0x10000, 0x11000),
          (0x1d400, 0x1d800), (0x1f300, 0x1faff), (0x20000, 0x20100), (0xe0000, 0xe0200)]


def random_text(rng, extra=()):
    parts = []
    for _ in range(rng.choice([1, 2, 3, 5, 8, 20, 60])):
        r = rng.random()
        if r < 0.45:
            parts.append(rng.choice(WORDS) + rng.choice(SPACES))
        elif r < 0.55:
            word = rng.choice(WORDS)
            cut = rng.randrange(len(word) + 1)
            parts.append(word[cut:] + word[:cut])
        elif r < 0.62:
            parts.append(rng.choice(SPACES) * rng.randrange(1, 12))
        elif r < 0.68:
            parts.append("".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 40))))
        elif r < 0.76:
            parts.append(rng.choice("ab\u4f60") * rng.randrange(1, 150))
        elif r < 0.82:
            parts.append("".join(rng.choice("abeinorst") for _ in range(rng.randrange(1, 200))))
        elif r < 0.88 and extra:
            parts.append(rng.choice(extra))
        elif r < 0.92:
            parts.append(rng.choice(["\u2581", "\u2581\u2581", "<0x41>", "<unk>", "<s>", "\u0120", "##", "\0", " "]))
        else:
            low, high = rng.choice(RANGES)
            parts.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 6))))
    return "".join(c for c in "".join(parts) if not 0xd800 <= ord(c) < 0xe000)


def tool(command, path, lines):
    done = subprocess.run([TOOL, command, path], input="\n".join(json.dumps(x) for x in lines) + "\n",
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"text_tool {command} {path} failed: {done.stderr}")
    return [json.loads(line) for line in done.stdout.split("\n") if line]


class Comparison:
    """Counts what differs and prints the first few."""

    def __init__(self, name):
        self.name, self.bad, self.texts = name, 0, 0

    def check(self, what, want, got):
        self.texts += 1
        if want == got:
            return
        self.bad += 1
        if self.bad <= 3:
            print(f"{self.name}: {what}\n  want {want!r}\n  got  {got!r}")

    def done(self):
        print(f"{self.name}: {self.texts} comparisons, {self.bad} differ")
        return self.bad


def requests(texts, parse_special=False, add_special=False):
    return [{"text": t, "add_special": add_special, "parse_special": parse_special} for t in texts]


# ---- tokenizers ----

def random_merges(rng):
    """A vocabulary of random strings over a small alphabet, merges in any order: no trainer would make it."""
    texts = list("abcdn\u4f60 ")
    merges = []
    for _ in range(rng.randrange(1, 60)):
        left, right = rng.choice(texts), rng.choice(texts)
        if (left, right) not in merges and len(left + right) < 24:
            merges.append((left, right))
            if left + right not in texts:
                texts.append(left + right)
    rng.shuffle(merges)
    order = texts[:]
    rng.shuffle(order)
    return {t: i for i, t in enumerate(order)}, merges


def bpe_kinds(rng):
    """Pairs of name and tokenizer, for every option of BPE."""
    for i in range(12):
        vocab, merges = random_merges(rng)
        options = {"fuse_unk": rng.random() < 0.5, "byte_fallback": rng.random() < 0.5, "ignore_merges": rng.random() < 0.3}
        if rng.random() < 0.7:
            vocab["<unk>"] = len(vocab)
            options["unk_token"] = "<unk>"
        for b in range(256):  # some without all bytes
            if options["byte_fallback"] and (rng.random() < 0.9 or i % 2):
                vocab[f"<0x{b:02X}>"] = len(vocab)
        yield f"bpe-random-{i}", Tokenizer(models.BPE(vocab, merges, **options))
    for name, options, trainer in (
            ("bpe-prefix", {"continuing_subword_prefix": "##"}, {"continuing_subword_prefix": "##"}),
            ("bpe-suffix", {"end_of_word_suffix": "</w>"}, {"end_of_word_suffix": "</w>"})):
        t = Tokenizer(models.BPE(unk_token="<unk>", **options))
        t.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
        t.train_from_iterator([" ".join(WORDS)] * 3, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"],
                                                                        show_progress=False, **trainer))
        yield name, t


def other_kinds():
    for fallback in (False, True):
        t = Tokenizer(models.Unigram())
        t.train_from_iterator([" ".join(WORDS)] * 3, trainers.UnigramTrainer(
            vocab_size=600, unk_token="<unk>", show_progress=False,
            special_tokens=["<unk>"] + [f"<0x{b:02X}>" for b in range(256)] * fallback))
        root = json.loads(t.to_str())
        root["added_tokens"] = []
        root["model"]["byte_fallback"] = fallback
        yield f"unigram-fallback-{fallback}", Tokenizer.from_str(json.dumps(root))
        t = Tokenizer.from_str(json.dumps(root))
        t.normalizer = normalizers.NFC()
        t.pre_tokenizer = pre_tokenizers.Metaspace()
        yield f"unigram-metaspace-{fallback}", t
    for name, options in (("wordpiece", {}), ("wordpiece-short", {"max_input_chars_per_word": 5})):
        t = Tokenizer(models.WordPiece(unk_token="[UNK]", **options))
        t.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
        t.train_from_iterator([" ".join(WORDS)] * 3, trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[UNK]", "[CLS]"],
                                                                              show_progress=False))
        yield name, t
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
    t.train_from_iterator([" ".join(WORDS)] * 3, trainers.WordLevelTrainer(special_tokens=["[UNK]", "[CLS]"], show_progress=False))
    yield "wordlevel", t


def check_tokenizers(rng, folder):
    bad = 0
    for name, t in list(bpe_kinds(rng)) + list(other_kinds()):
        path = os.path.join(folder, name + ".json")
        t.save(path, pretty=rng.random() < 0.5)
        if rng.random() < 0.5:  # merges as older versions wrote them
            root = json.load(open(path))
            merges = root["model"].get("merges")
            if merges and not any(" " in side for merge in merges for side in merge):
                root["model"]["merges"] = [" ".join(merge) for merge in merges]
                json.dump(root, open(path, "w"))
        t = Tokenizer.from_file(path)
        t.encode_special_tokens = True
        texts = [random_text(rng) for _ in range(COUNT)] + ["", "a", "ab" * 3000, "a" * 5000, "\u4f60" * 2000]
        c = Comparison(name)
        for text, got in zip(texts, tool("encode", path, requests(texts))):
            c.check(ascii(text[:300]), t.encode(text, add_special_tokens=False).ids, got)
        bad += c.done()
    return bad


def main():
    if not os.path.exists(TOOL):
        print(f"SKIPPED: {TOOL} is not built")
        return 77
    print(f"seed {SEED}, tokenizers {tokenizers.__version__}")
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        bad = check_tokenizers(rng, folder)
    return 1 if bad else 0


sys.exit(main())
