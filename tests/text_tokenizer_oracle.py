"""Our tokenizers against PyPI's `tokenizers`, on random text: trained vocabularies of every kind of pipeline, and the
vocabularies of GGUF files (LOAM_ORACLE_MODELS=a.gguf:b.gguf, or those that the demo models' cache holds)."""
import json
import os
import random
import sys
import tempfile

from oracle_support import SEED, TOOL, WORDS, assigned, count, model_files, random_text, tool

try:
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

COUNT = count(2000, 20000)

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
         r"\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

def compare(name, oracle, path, rng, number, only_assigned=False):
    """Encodes random texts with both; then decodes. Returns how many texts differed."""
    specials = [t.content for t in oracle.get_added_tokens_decoder().values()]
    texts = [random_text(rng, specials[:40] + specials[-10:]) for _ in range(number)] + ["", " ", "a" * 3000]
    if only_assigned:  # of a single_word token: the classes of Rust's regexes are of a later Unicode than Oniguruma's
        texts = [assigned(t) for t in texts]
    bad = 0
    for add_special, parse_special in ((False, True), (True, True), (False, False)):
        oracle.encode_special_tokens = not parse_special
        requests = [{"text": t, "add_special": add_special, "parse_special": parse_special} for t in texts]
        ours = tool("encode", requests, path)
        for text, got in zip(texts, ours):
            want = oracle.encode(text, add_special_tokens=add_special).ids
            if got != want:
                bad += 1
                if bad <= 5:
                    print(f"{name}: {text!r} special={add_special},{parse_special}\n  want {want}\n  got  {got}")
    oracle.encode_special_tokens = False
    for ids, got in zip(ours, tool("decode", ours, path)):
        want = oracle.decode(ids, skip_special_tokens=False)
        if got is not None and got != want:
            bad += 1
            if bad <= 5:
                print(f"{name}: decode {ids}\n  want {want!r}\n  got  {got!r}")
    print(f"{name}: {len(texts)} texts x 3 ways, {bad} differ")
    return bad


def trained(kind, folder):
    """A small vocabulary trained on WORDS, with the steps of one family."""
    byte_level = kind.startswith("byte")
    t = Tokenizer(models.BPE(byte_fallback=not byte_level, fuse_unk=not byte_level,
                             unk_token=None if byte_level else "<unk>", ignore_merges=kind == "byte-llama3"))
    replace = normalizers.Replace(" ", "\u2581")
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = lambda pattern: pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), bytes_only])
    gpt2 = lambda prefix: pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    pre = {"byte-gpt2": lambda: gpt2(False), "byte-prefix": lambda: gpt2(True), "byte-qwen2": lambda: split(QWEN2),
           "byte-smollm": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt2(False)]),
           "byte-digits": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(), gpt2(False)]),
           "byte-llama3": lambda: split(LLAMA3), "byte-odd": lambda: split(r"[a-z]+|\d{2}"),
           "sp-metaspace": lambda: pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
           "sp-split": lambda: pre_tokenizers.Metaspace(prepend_scheme="always"),
           "sp-gemma": lambda: pre_tokenizers.Split("\u2581", "merged_with_previous")}
    for behavior in ("removed", "merged_with_next", "contiguous", "merged_with_previous"):
        pre[f"byte-{behavior}"] = lambda b=behavior: pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(r"\s|[.]"), b, invert=b == "contiguous"), bytes_only])
    if kind in pre:
        t.pre_tokenizer = pre[kind]()
    if kind in ("sp-llama", "sp-gemma"):
        prepend = [normalizers.Prepend("\u2581")] if kind == "sp-llama" else []
        t.normalizer = normalizers.Sequence(prepend + [replace])
    if kind == "byte-qwen2":
        t.normalizer = normalizers.NFC()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    from tokenizers import trainers
    tokens = ["<unk>", "<s>", "</s>"] + ([] if byte_level else [f"<0x{b:02X}>" for b in range(256)])
    t.train_from_iterator([" ".join(WORDS)] * 3, trainers.BpeTrainer(vocab_size=900, special_tokens=tokens,
                                                                    initial_alphabet=alphabet, show_progress=False))
    t = Tokenizer.from_str(drop_byte_tokens(t.to_str()))
    t.add_special_tokens(["<|im_start|>", AddedToken("<mask>", lstrip=True), AddedToken("<r>", rstrip=True)])
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("wo rd", single_word=True), AddedToken("<|im", normalized=False)])
    strip = [decoders.Strip(" ", 1, 0)] if kind == "sp-llama" else []
    t.decoder = (decoders.ByteLevel() if byte_level else
                 decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()]) if kind in ("sp-metaspace", "sp-split") else
                 decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()] + strip))
    t.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A $B", [("<s>", 1), ("</s>", 2)])
    path = os.path.join(folder, kind + ".json")
    t.save(path)
    return t, path


def drop_byte_tokens(text):
    """The trainer adds <0x..> as special tokens; a real vocabulary has them as ordinary entries."""
    root = json.loads(text)
    root["added_tokens"] = [a for a in root["added_tokens"] if not a["content"].startswith("<0x")]
    return json.dumps(root)


def from_gguf(path):
    """The oracle's tokenizer for a GGUF vocabulary: its tokens, merges (or scores) and kinds."""
    import gguf
    fields = gguf.GGUFReader(path).fields
    get = lambda key, default=None: fields["tokenizer.ggml." + key].contents() if "tokenizer.ggml." + key in fields else default
    tokens, kinds = get("tokens"), get("token_type")
    vocab = {t: i for i, t in reversed(list(enumerate(tokens)))}
    if get("model") == "gpt2":
        t = Tokenizer(models.BPE(vocab, [tuple(m.split(" ")) for m in get("merges")], ignore_merges=get("pre") == "llama-bpe"))
        bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
        patterns = {"qwen2": QWEN2, "llama-bpe": LLAMA3}
        if get("pre") in patterns:
            t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(patterns[get("pre")]), "isolated"), bytes_only])
        elif get("pre") == "smollm":
            t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt2])
        else:
            assert get("pre") == "gpt-2", get("pre")
            t.pre_tokenizer = gpt2
        t.normalizer = normalizers.NFC() if get("pre") == "qwen2" else None
        t.decoder = decoders.ByteLevel()
    else:
        scores, merges = get("scores"), []
        normal = {text for text, kind in zip(tokens, kinds) if kind == 1}
        for text in sorted(normal, key=lambda x: -scores[vocab[x]]):
            merges += [(text[:i], text[i:]) for i in range(1, len(text)) if text[:i] in normal and text[i:] in normal]
        t = Tokenizer(models.BPE(vocab, merges, byte_fallback=True, fuse_unk=True, unk_token=tokens[get("unknown_token_id")]))
        prepend = [normalizers.Prepend("\u2581")] if get("add_space_prefix", True) else []
        t.normalizer = normalizers.Sequence(prepend + [normalizers.Replace(" ", "\u2581")])
        strip = [decoders.Strip(" ", 1, 0)] if prepend else []
        t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()] + strip)
    t.add_special_tokens([AddedToken(x, normalized=False, special=True) for x, k in zip(tokens, kinds) if k in (2, 3)])
    t.add_tokens([AddedToken(x, normalized=False) for x, k in zip(tokens, kinds) if k == 4])
    if get("add_bos_token", get("model") == "llama"):
        bos = tokens[get("bos_token_id")]
        t.post_processor = processors.TemplateProcessing(f"{bos} $A", f"{bos} $A $B", [(bos, get("bos_token_id"))])
    return t


def main():
    if not os.path.exists(TOOL):
        print(f"SKIPPED: {TOOL} is not built")
        return 77
    print(f"seed {SEED}, tokenizers {tokenizers.__version__}")
    rng = random.Random(SEED)
    bad = 0
    kinds = ["byte-gpt2", "byte-prefix", "byte-qwen2", "byte-smollm", "byte-digits", "byte-llama3", "byte-odd", "byte-removed",
             "byte-merged_with_next", "byte-contiguous", "byte-merged_with_previous", "sp-metaspace", "sp-split",
             "sp-llama", "sp-gemma"]
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            oracle, path = trained(kind, folder)
            bad += compare(kind, oracle, path, rng, max(200, COUNT // 4), only_assigned=True)
    tiny = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "tiny_vocab", "tokenizer.json")
    bad += compare("tiny_vocab", Tokenizer.from_file(tiny), tiny, rng, COUNT)
    try:
        import gguf  # noqa: F401
    except ImportError:
        print("SKIPPED GGUF vocabularies: no package gguf")
        return bool(bad)
    files = model_files()
    if not files:
        print("SKIPPED GGUF vocabularies: no model files")
    for path in files:
        bad += compare(os.path.basename(path), from_gguf(path), path, rng, COUNT)
    return 1 if bad else 0


sys.exit(main())
