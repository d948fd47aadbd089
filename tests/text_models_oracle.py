"""Our tokenizer models against PyPI's `tokenizers`, `sentencepiece` and `tiktoken`: tiny vocabularies trained here,
ids and decoded texts compared on random Unicode. LOAM_MODEL_FILES=a:b also compares real files."""
import base64
import json
import os
import random
import sys
import tempfile
import unicodedata

from oracle_support import SEED, TOOL, WORDS, assigned, count, random_text, tool

try:
    import sentencepiece
    import tiktoken
    import tokenizers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

COUNT = count(300, 3000)


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
            at = next((i for i, (a, b) in enumerate(zip(want, got or "")) if a != b), min(len(want), len(got or "")))
            near = slice(max(at - 8, 0), at + 12)
            print(f"{self.name}: {what[:200]}\n  from {at}: want {want[near]!r}\n  got  {(got or '')[near]!r}")

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
        for text, got in zip(texts, tool("encode", requests(texts), path)):
            c.check(ascii(text[:300]), t.encode(text, add_special_tokens=False).ids, got)
        bad += c.done()
    return bad


# ---- sentencepiece ----

def sentencepiece_kinds(folder, rng):
    """Trained models: both types, normalizers, byte fallback, spaces, user-defined and control tokens."""
    text = os.path.join(folder, "corpus.txt")
    with open(text, "w") as f:
        for _ in range(300):
            f.write(" ".join(rng.choice(WORDS) for _ in range(12)) + "\n")
    for i, (kind, rule, fallback, more) in enumerate((
            ("bpe", "identity", True, {}),
            ("bpe", "nmt_nfkc", False, {"user_defined_symbols": ["<sep>", "\u2581\u2581", "ab", "\u4f60"]}),
            ("bpe", "nfkc_cf", True, {"add_dummy_prefix": False, "control_symbols": ["<ctl>"]}),
            ("bpe", "identity", True, {"remove_extra_whitespaces": False, "split_by_whitespace": False}),
            ("bpe", "identity", False, {"remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True,
                                        "split_digits": True}),
            ("unigram", "nmt_nfkc", False, {}),
            ("unigram", "identity", True, {"user_defined_symbols": ["<sep>", "ab", "abab", "\u4f60", "\u4f60\u4f60\u4f60", "\u597d,"]}),
            ("unigram", "nmt_nfkc_cf", True, {"add_dummy_prefix": False, "control_symbols": ["<ctl>"]}),
            ("unigram", "nfkc", False, {"remove_extra_whitespaces": False, "split_by_whitespace": False}),
            ("unigram", "identity", True, {"escape_whitespaces": False, "pad_id": 3}))):
        name = os.path.join(folder, f"sp-{i}-{kind}-{rule}")
        options = {"vocab_size": 700 if fallback else 420, "hard_vocab_limit": False, "character_coverage": 1.0 if i % 2 else 0.98}
        if "escape_whitespaces" in more:  # not a flag of the trainer
            more = {**more, "normalization_rule_name": rule}
        else:
            options["normalization_rule_name"] = rule
        try:
            sentencepiece.SentencePieceTrainer.train(input=text, model_prefix=name, model_type=kind, byte_fallback=fallback,
                                                     minloglevel=3, **options, **more)
        except (RuntimeError, OSError) as e:
            if "escape_whitespaces" not in more:
                raise SystemExit(f"{name}: {e}")
            continue
        yield name + ".model"


def check_sentencepiece(files, rng):
    bad = 0
    for path in files:
        sp = sentencepiece.SentencePieceProcessor(model_file=path)
        extra = [sp.id_to_piece(i) for i in range(sp.get_piece_size())][:600]
        texts = [random_text(rng, extra) for _ in range(COUNT)] + ["", " ", "   ", "a" * 5000, "ab " * 3000, "\u4f60" * 3000]
        texts = [t.replace("\0", "") for t in texts]  # the library ends some texts there
        c = Comparison(os.path.basename(path))
        got = tool("encode", requests(texts), path)
        for text, ids in zip(texts, got):
            c.check(ascii(text[:300]), sp.encode(text), ids)
        for ids, text in zip(got, tool("decode", got, path)):
            if sp.unk_id() not in ids and text is not None:
                c.check(f"decode {ids[:100]}", sp.decode(ids), text)
        bad += c.done()
    return bad


# ---- tiktoken ----

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")


def random_ranks(rng):
    """All bytes and random joins of what is there, in no order that training would give."""
    tokens = [bytes([b]) for b in range(256)]
    rng.shuffle(tokens)
    corpus = " ".join(WORDS).encode()
    for _ in range(600):
        if rng.random() < 0.7:
            at = rng.randrange(len(corpus))
            token = corpus[at:at + rng.randrange(2, 7)]
        else:
            token = rng.choice(tokens) + rng.choice(tokens)
        if token not in tokens and 1 < len(token) < 30:
            tokens.append(token)
    return {t: i for i, t in enumerate(tokens)}


def write_ranks(path, ranks):
    with open(path, "wb") as f:
        for token, rank in ranks.items():
            f.write(base64.b64encode(token) + b" " + str(rank).encode() + b"\n")


def tiktoken_files(folder, rng):
    """(path, tiktoken encoding, first id) of small encodings made here."""
    for pre, pattern in (("llama-bpe", LLAMA3), ("qwen2", QWEN2), ("gpt-4o", O200K)):
        ranks = random_ranks(rng)
        path = os.path.join(folder, f"{pre}.pre.tiktoken")
        write_ranks(path, ranks)
        yield path, tiktoken.Encoding(pre, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}), 0
    ranks = random_ranks(rng)
    path = os.path.join(folder, "tekken.json")
    vocab = [{"rank": r, "token_bytes": base64.b64encode(t).decode(), "token_str": None} for t, r in ranks.items()]
    used = dict(list(ranks.items())[:-20])  # the file has more than the model uses
    config = {"pattern": TEKKEN, "num_vocab_tokens": len(ranks), "default_vocab_size": len(used) + 30,
              "default_num_special_tokens": 30, "version": "v3"}
    with open(path, "w") as f:
        json.dump({"config": config, "vocab": vocab}, f)
    yield path, tiktoken.Encoding("tekken", pat_str=TEKKEN, mergeable_ranks=used, special_tokens={}), 30


def check_tiktoken(files, rng):
    bad = 0
    for path, encoding, first in files:
        texts = [random_text(rng) for _ in range(COUNT)] + ["", "a" * 5000, " " * 5000, "\u4f60" * 3000]
        # Unassigned characters are of different classes in different years; QWen normalizes.
        texts = [unicodedata.normalize("NFC", assigned(t)) for t in texts]
        c = Comparison(os.path.basename(path))
        got = tool("encode", requests(texts), path)
        for text, ids in zip(texts, got):
            c.check(ascii(text[:300]), [first + i for i in encoding.encode_ordinary(text)], ids)
        for text, decoded in zip(texts, tool("decode", got, path)):
            c.check("decode", text, decoded)
        bad += c.done()
    return bad


def real_files(paths, rng):
    """Not part of the tests: real vocabularies, named by hand."""
    bad = 0
    for path in paths:
        head = open(path, "rb").read(64)
        if "tekken" in path:
            root = json.load(open(path))
            special, size = root["config"]["default_num_special_tokens"], root["config"]["default_vocab_size"]
            ranks = {base64.b64decode(t["token_bytes"]): t["rank"] for t in root["vocab"] if t["rank"] < size - special}
            bad += check_tiktoken([(path, tiktoken.Encoding("x", pat_str=root["config"]["pattern"], mergeable_ranks=ranks,
                                                            special_tokens={}), special)], rng)
        elif path.endswith(".json"):
            t = Tokenizer.from_file(path)
            t.no_padding()
            t.no_truncation()
            t.encode_special_tokens = True
            texts = [random_text(rng) for _ in range(COUNT)]
            c = Comparison(path)
            for text, got in zip(texts, tool("encode", requests(texts), path)):
                c.check(ascii(text[:300]), t.encode(text, add_special_tokens=False).ids, got)
            bad += c.done()
        elif head.split(b" ")[-1][:1].isdigit() or b" 0\n" in head:
            ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in open(path, "rb") if line.strip()}
            pattern = {151643: QWEN2, 199998: O200K, 200000: O200K, 248044: QWEN2.replace(r"]?\p{L}+", r"]?[\p{L}\p{M}]+").replace(
                r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")}.get(len(ranks), LLAMA3)
            bad += check_tiktoken([(path, tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}), 0)], rng)
        else:
            bad += check_sentencepiece([path], rng)
    return bad


def main():
    if not os.path.exists(TOOL):
        print(f"SKIPPED: {TOOL} is not built")
        return 77
    print(f"seed {SEED}, tokenizers {tokenizers.__version__}")
    rng = random.Random(SEED)
    given = [p for p in os.environ.get("LOAM_MODEL_FILES", "").split(":") if p]
    if given:
        return 1 if real_files(given, rng) else 0
    with tempfile.TemporaryDirectory() as folder:
        bad = check_tokenizers(rng, folder)
        bad += check_sentencepiece(list(sentencepiece_kinds(folder, rng)), rng)
        bad += check_tiktoken(list(tiktoken_files(folder, rng)), rng)
    return 1 if bad else 0


sys.exit(main())
