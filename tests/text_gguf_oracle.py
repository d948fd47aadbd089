"""GGUF vocabularies against PyPI's `tokenizers` and `sentencepiece`: for every pre-tokenizer name a small vocabulary is
trained, written as GGUF metadata, and compared with the same pipeline of `tokenizers` on random texts."""
import json
import os
import random
import sys
import tempfile

from oracle_support import FULL, SEED, TOOL, WORDS, assigned, count, random_text, tool

try:
    import gguf
    import sentencepiece
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

COUNT = count(150, 4000)

# The patterns as the models' own tokenizers have them.
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACE_ENDS = r"\s*[\r\n]+|\s+(?!\S)|\s+"


def words_like(number, first=CONTRACTIONS + "|"):
    return first + r"[^\r\n\p{L}\p{N}]?\p{L}+|" + number + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|" + SPACE_ENDS


def cased(number, end=CONTRACTIONS + "?", prefix="", upper=r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]",
          lower=r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", newlines=r"[\r\n/]*"):
    before = r"[^\r\n\p{L}\p{N}]?"
    return (f"{prefix}{before}{upper}*{lower}+{end}|{before}{upper}+{lower}*{end}|{number}"
            rf"| ?[^\s\p{{L}}\p{{N}}]+{newlines}|" + SPACE_ENDS)


PUNCTUATION = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""
CJK = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
CJK_WIDE = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DEEPSEEK_WORD = PUNCTUATION + r"[A-Za-z]+|[^" + "\r\n" + r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
LATIN = r"\s?" + ("[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
                  "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
                  "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
                  "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d"
                  "\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4"
                  "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
                  "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
                  "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a"
                  "\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
                  "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+")
HAN = lambda s: "[" + s + r"&&[^\p{Han}]]"
BLOOM = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"
QWEN2, LLAMA3, GPT4O = words_like(r"\p{N}"), words_like(r"\p{N}{1,3}"), cased(r"\p{N}{1,3}")
DIGITS, DIGIT_RUNS, GPT2, BYTES = "digits", "digit runs", "gpt2", "bytes"
PUNCTUATION_RUNS, PUNCTUATION_EACH = "punctuation runs", "punctuation each"

# names: steps (a text is the pattern of a Split), then what is true of the model besides
PRES = {
    "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano": ([LLAMA3, BYTES], "ignore_merges"),
    "dbrx smaug-bpe": ([LLAMA3, BYTES], ""),
    "chatglm-bpe glm4 glm5": ([LLAMA3, BYTES], "ignore_merges"),
    "minicpm5": ([r"\p{N}{1,3}", words_like(r"\p{N}+"), BYTES], "ignore_merges"),
    "jais-2": ([CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|" +
                "".join(rf"\s{{{n}}}(?!\S)|" for n in (512, 256, 128, 64, 32, 16, 8, 4, "1,2")) + r"\s{1}", BYTES], ""),
    "qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan": ([QWEN2, BYTES], "nfc"),
    "grok-2 solar-open": ([QWEN2, BYTES], ""),
    "qwen35": ([CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + SPACE_ENDS,
                BYTES], "nfc"),
    "laguna": ([r"[^\n]+|[\n]+", QWEN2, BYTES], ""),
    "ufakzeka": ([words_like(r"\p{N}", ""), BYTES], ""),
    "seed-coder": ([CONTRACTIONS + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|"
                    r"\s+(?!\S)|\s+", BYTES], ""),
    "bailingmoe bailingmoe2 llada-moe": ([r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|"
                                          r"\s*[\r\n]|\s+(?!\S)|\s+", BYTES], ""),
    "exaone-moe": ([CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|"
                    r"\s*[\r\n]|\s+(?!\S)|\s+", BYTES], ""),
    "gpt-2 phi-2 jina-es jina-de jina-v1-en roberta-bpe gigachat a.x-4.0 mellum exaone4 jais trillion granite-docling":
        ([GPT2], ""),
    "mpt olmo modern-bert": ([GPT2], "nfc"),
    "smollm starcoder refact codeshell exaone minerva-7b mellum2": ([DIGITS, GPT2], ""),
    "command-r": ([DIGITS, GPT2], "nfc"),
    "deepseek-llm": (["[\r\n]", LATIN, "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", r"\s+$",
                      CJK_WIDE, DIGITS, BYTES], ""),
    "deepseek-coder": (["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK_WIDE, DIGITS, BYTES], ""),
    "deepseek-v3 hunyuan-dense joyai-llm hy_v4":
        ([r"\p{N}{1,3}", CJK, DEEPSEEK_WORD + " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+", BYTES], ""),
    "spark2_5": ([r"\p{N}{1,3}", CJK, DEEPSEEK_WORD + " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+", r"\p{N}", BYTES], ""),
    "youtu": (["[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f"
               "\ufe30-\ufe4f]+|[\u3105-\u312f]+|" + CJK, cased(r"\p{N}"), BYTES], "ignore_merges"),
    "afmoe": ([r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))",
               "[\u4e00-\u9fff\u3400-\u4dbf\u8c48-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f"
               "\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+",
               PUNCTUATION + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + SPACE_ENDS,
               BYTES], ""),
    "falcon": ([PUNCTUATION_RUNS, GPT2, DIGIT_RUNS, "[0-9][0-9][0-9]"], ""),
    "bloom poro-chat gpt3-finnish": ([BLOOM, BYTES], ""),
    "viking": ([BLOOM, DIGITS, BYTES], ""),
    "tekken": ([cased(r"\p{N}", ""), BYTES], "ignore_merges"),
    "gpt-4o llama4 granite-embed-multi-97m": ([GPT4O, BYTES], "ignore_merges"),
    "kanana2 talkie minimax-m2": ([GPT4O, BYTES], ""),
    "tiny_aya cohere2moe": ([r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O, BYTES], "nfc"),
    "kimi-k2": ([cased(r"\p{N}{1,3}", prefix=r"[\p{Han}]+|", upper=HAN(r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"),
                       lower=HAN(r"\p{Ll}\p{Lm}\p{Lo}\p{M}"), newlines=r"[\r\n]*"), BYTES], "ignore_merges"),
    "superbpe": ([r"\p{N}+", r"(?=(\d{3})+(?!\d))", BYTES], ""),
    "chameleon": (["<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", DIGITS,
                   PUNCTUATION_EACH, GPT2], ""),
}


def compare(name, path, texts, want, **request):
    """want(text) -> ids. Returns how many differ."""
    got = tool("encode", [{"text": t, **request} for t in texts], path)
    bad = 0
    for text, ids in zip(texts, got):
        expected = want(text)
        if ids != expected:
            bad += 1
            if bad <= 3:
                print(f"{name}: {text!r}\n  want {expected}\n  got  {ids}")
    return bad


def step(kind):
    return {DIGITS: lambda: pre_tokenizers.Digits(individual_digits=True),
            DIGIT_RUNS: lambda: pre_tokenizers.Digits(individual_digits=False),
            PUNCTUATION_RUNS: lambda: pre_tokenizers.Punctuation("contiguous"),
            PUNCTUATION_EACH: lambda: pre_tokenizers.Punctuation("isolated"),
            GPT2: lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            BYTES: lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            }.get(kind, lambda: pre_tokenizers.Split(Regex(kind), "isolated"))()


def corpus(rng):
    return [" ".join(WORDS)] * 4 + [assigned(random_text(rng)) for _ in range(60)] + ["1234567890 " * 5, "  " * 40, "\n\n" * 9]


def write(path, model, tokens, types, **keys):
    w = gguf.GGUFWriter(path, "llama")
    w.add_tokenizer_model(model)
    w.add_token_list(tokens)
    w.add_token_types(types)
    for name, value in keys.items():
        name = "tokenizer.ggml." + name.replace("__", ".")
        add = {bool: w.add_bool, int: w.add_uint32, str: w.add_string}.get(type(value), w.add_array)
        add(name, value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()


def byte_level(steps, custom, rng):
    """A trained tokenizer with these steps, its tokens and their types."""
    t = Tokenizer(models.BPE())
    # Trained on snippets without any step, so that merges join what the steps part: a wrong cut shows in the ids.
    t.pre_tokenizer = step(BYTES)
    text, snippets = "".join(corpus(rng)), []
    while sum(map(len, snippets)) < 3 * len(text):
        at = rng.randrange(len(text))
        snippets.append(text[at:at + rng.randrange(2, 9)])
    t.train_from_iterator(snippets, trainers.BpeTrainer(
        vocab_size=1100, show_progress=False, special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.pre_tokenizer = pre_tokenizers.Sequence([step(s) for s in steps])
    if custom == "nfc":
        t.normalizer = normalizers.NFC()
    state = json.loads(t.to_str())
    if custom == "ignore_merges":  # a token that no merge makes, so that it shows
        vocab = state["model"]["vocab"]
        merges = state["model"]["merges"]
        state["model"]["merges"] = [m for i, m in enumerate(merges) if i % 9]
        state["model"]["ignore_merges"] = True
        assert len(vocab) > 900
    t = Tokenizer.from_str(json.dumps(state))
    t.add_special_tokens([AddedToken("<|im_start|>", normalized=False), AddedToken("<|im|>", normalized=False)])
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("<|im", normalized=False)])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 0), ("</s>", 1)])
    count = t.get_vocab_size()
    tokens = [t.id_to_token(i) for i in range(count)]
    added = t.get_added_tokens_decoder()
    types = [1 if i not in added else 3 if added[i].special else 4 for i in range(count)]
    merges = [" ".join(m) for m in state["model"]["merges"]]
    return t, tokens, types, merges


def check_byte_level(rng, folder):
    bad = 0
    known = set()
    for names, (steps, custom) in PRES.items():
        known.update(names.split())
        t, tokens, types, merges = byte_level(steps, custom, rng)
        specials = [a.content for a in t.get_added_tokens_decoder().values()]
        texts = [assigned(random_text(rng, specials)) for _ in range(COUNT)] + ["", " ", "a" * 500, "1" * 100, " " * 700]
        row = 0
        for i, name in enumerate(names.split()):
            path = os.path.join(folder, "v.gguf")
            write(path, "gpt2", tokens, types, pre=name, merges=merges, bos_token_id=0, eos_token_id=1,
                  add_bos_token=True, add_eos_token=True)
            few = texts if i == 0 or FULL else texts[:40]
            t.encode_special_tokens = False
            row += compare(name, path, few, lambda x: t.encode(x).ids, add_special=True, parse_special=True)
            t.encode_special_tokens = True
            row += compare(name, path, few[:60], lambda x: t.encode(x, add_special_tokens=False).ids,
                           add_special=False, parse_special=False)
        print(f"{names}: {row} differ")
        bad += row
    return bad, known


def check_gemma(rng, folder):
    """UTF-8 with U+2581 for spaces, ranked merges, bytes for the rest."""
    t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    t.normalizer = normalizers.Replace(" ", "\u2581")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    lines = [line for text in corpus(rng) for line in text.replace(" ", " \n").split("\n")] + ["\n\n", "\n\n\n\n"] * 9
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=1500, show_progress=False, special_tokens=special))
    state = json.loads(t.to_str())
    state["added_tokens"] = [a for a in state["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(state))
    t.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    tokens = [t.id_to_token(i) for i in range(t.get_vocab_size())]
    types = [2, 3, 3] + [6] * 256 + [1] * (len(tokens) - 259)
    merges = [" ".join(m) for m in state["model"]["merges"]]
    texts = [assigned(random_text(rng, ["<s>"])) for _ in range(COUNT)] + ["", " ", "\n", "\n\n\n\n\n", "a" * 300]
    bad = 0
    for model, name in (("gemma4", "gemma4"), ("gpt2", "gemma4"), ("gpt2", "sarvam-moe"), ("gpt2", "granite-embed-multi-311m")):
        path = os.path.join(folder, "g.gguf")
        write(path, model, tokens, types, pre=name, merges=merges, bos_token_id=1, unknown_token_id=0,
              add_bos_token=True)
        bad += compare(f"{model} {name}", path, texts, lambda x: t.encode(x).ids, add_special=True)
    print(f"gemma4: {bad} differ")
    return bad


def check_bert(rng, folder):
    bad = 0
    for lowercase in (True, False):
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        t.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        # GGUF cannot tell a continuation that begins with U+2581 from the beginning of a word.
        lines = [x.replace("\u2581", " ") for x in corpus(rng)]
        t.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=900, show_progress=False,
                                                                    special_tokens=special))
        t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        tokens = [t.id_to_token(i) for i in range(t.get_vocab_size())]
        types = [3] * 5 + [1] * (len(tokens) - 5)
        shown = tokens[:5] + [x[2:] if x.startswith("##") else "\u2581" + x for x in tokens[5:]]
        path = os.path.join(folder, "b.gguf")
        write(path, "bert", shown, types, pre="default", cls_token_id=2, seperator_token_id=3, unknown_token_id=1,
              padding_token_id=0, normalizer__lowercase=lowercase)
        texts = [assigned(random_text(rng, special)) for _ in range(2 * COUNT)] + ["", " ", "a" * 99, "a" * 101]
        bad += compare(f"bert, lowercase {lowercase}", path, texts, lambda x: t.encode(x).ids, add_special=True)
    print(f"bert: {bad} differ")
    return bad


def check_sentencepiece(rng, folder):
    bad = 0
    text = os.path.join(folder, "corpus.txt")
    with open(text, "w", encoding="utf-8") as f:
        f.write("\n".join(x.replace("\n", " ").replace("\r", " ").replace("\0", "") for x in corpus(rng)))
    cases = [(kind, rule, prefix, extra) for kind in ("bpe", "unigram") for rule in ("identity", "nmt_nfkc")
             for prefix in (True, False) for extra in (True, False)
             if kind == "unigram" or (rule == "identity" and not extra)]
    for kind, rule, prefix, extra in cases:
        model = os.path.join(folder, "m")
        sentencepiece.SentencePieceTrainer.train(
            input=text, model_prefix=model, model_type=kind, vocab_size=700, byte_fallback=kind == "bpe",
            normalization_rule_name=rule, add_dummy_prefix=prefix, remove_extra_whitespaces=extra,
            hard_vocab_limit=False, minloglevel=2, character_coverage=0.98, user_defined_symbols=["<tool>"])
        sp = sentencepiece.SentencePieceProcessor(model_file=model + ".model")
        ids = range(sp.get_piece_size())
        types = [2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else
                 4 if sp.id_to_piece(i) == "<tool>" else 1 for i in ids]
        keys = dict(scores=[sp.get_score(i) for i in ids], add_space_prefix=prefix, bos_token_id=sp.bos_id(),
                    eos_token_id=sp.eos_id(), unknown_token_id=sp.unk_id(), add_bos_token=False, add_eos_token=False)
        if kind == "unigram":
            from sentencepiece import sentencepiece_model_pb2 as pb
            proto = pb.ModelProto()
            proto.ParseFromString(open(model + ".model", "rb").read())
            keys["remove_extra_whitespaces"] = extra
            if proto.normalizer_spec.precompiled_charsmap:
                keys["precompiled_charsmap"] = proto.normalizer_spec.precompiled_charsmap  # bytes: an array of u8
        path = os.path.join(folder, "s.gguf")
        write(path, "llama" if kind == "bpe" else "t5", [sp.id_to_piece(i) for i in ids], types, **keys)
        # "<tool>" is cut out before the rest is prefixed, as in a chat; SentencePiece itself sees one text.
        texts = [assigned(random_text(rng)).replace("\0", "") for _ in range(COUNT)] + ["", " ", "a" * 300]
        texts = [x for x in texts if "<tool>" not in x and "\u2581" not in x]
        row = compare(f"{kind} {rule} prefix {prefix} extra {extra}", path, texts, sp.encode, add_special=False)
        print(f"{kind}, {rule}, prefix {prefix}, remove spaces {extra}: {row} of {len(texts)} differ")
        bad += row
    return bad


def main():
    if not os.path.exists(TOOL):
        print(f"SKIPPED: {TOOL} is not built")
        return 77
    print(f"seed {SEED}, tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}")
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        bad, _ = check_byte_level(rng, folder)
        bad += check_gemma(rng, folder)
        bad += check_sentencepiece(rng, folder)
        bad += check_bert(rng, folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
