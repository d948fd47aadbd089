"""What the oracle tests of the text side share: the seed, text_tool, and random text of every script."""
import glob
import json
import os
import random
import subprocess
import unicodedata

FULL = bool(os.environ.get("LOAM_TEST_FULL"))
# New texts only in the full tests, so that the quick ones are the same for everybody.
SEED = int(os.environ.get("LOAM_SEED", random.randrange(1 << 32) if FULL else 1))
TOOL = os.environ.get("LOAM_TEXT_TOOL") or os.path.join(os.environ.get("LOAM_BUILD", "build"), "tests", "text_tool")


def count(quick, full):
    return int(os.environ.get("LOAM_ORACLE_COUNT", full if FULL else quick))


def tool(command, requests, *arguments):
    """The answers of text_tool, one JSON value per request."""
    done = subprocess.run([TOOL, command, *arguments], input="".join(json.dumps(x) + "\n" for x in requests),
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"text_tool {command} {' '.join(arguments)} failed with {done.returncode}: {done.stderr}")
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(answers) == len(requests)
    return answers


def model_files(variable="LOAM_ORACLE_MODELS"):
    """GGUF files to compare besides: those that the variable names (a:b), or those of the demo models' cache."""
    given = os.environ.get(variable)
    if given is not None:
        return [p for p in given.split(":") if p]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("LOAM_CACHE") or os.path.join(home, "loam")
    return sorted(glob.glob(os.path.join(cache, "**", "*.gguf"), recursive=True))


WORDS = ("the of and to in is you that it he was for on are as with his they I at be this have from or one had by "
         "don't we'll I'VE they'RE WE'LL it's 'Sie \u017f'\u017f na\u00efve \u00c5ngstr\u00f6m Stra\u00dfe \u00fcber HelloWorld "
         "iPhone camelCase XMLHttp tokenization tokenizer unbelievable international running runner runs walked walking "
         "talked aaaaaaa aaaa abababab bababa 2024 3.14159 1,000,000 x86_64 a_b def return print(\"hi\") {}; // -> == != <= "
         "... !? --- *** ___ /* */ <b> $x +1 ~y ^z |w `v` (IMGIMGABZ) <sentinel:12> \u4f60\u597d \u4e16\u754c "
         "\u4f60\u597d\u4e16\u754c \u4f60\u597d, \u4e16\u754c\u4eba\u6c11 \u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca\u30fc "
         "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \u3131\u3134 \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0420\u0423\u0421 "
         "\u0639\u0631\u0628\u064a\u060c \u06d4 \u0627\u0644\u0652 \u0939\u093f\u0928\u094d\u0926\u0940\u0964 \u0e44\u0e17\u0e22 "
         "\u1019\u103c\u1014\u103a \u1782\u17d2\u1798\u17c2\u179a \u0130 \u01c5 \u03a3\u03c2 "
         "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea\U0001f1eb \u2603\ufe0f e\u0301\u0323 q\u0307\u0323 "
         "a\u0300\u0301b \u1e9b\u0323 \u212b \ufb01 \ufb01\u0301 \u0660\u0661\u0662\u0663 \u0967\u0968 \u2167 \u00bd \u00b2 \u02b0 "
         "\u2581 \u2581\u2581 <0x41> \u0120 \uff01\uff0c\u3002 \u2018q\u2019 \u201cw\u201d \u2026 \u2014 \u00ab \u3105\u3106 "
         "\uff76\uff9e \u202e\u2066x\u2069 \ufeff \u00ad \u200b \ufffd \x07 </w> ## | <pad> [UNK]").split(" ")
SPACES = [" "] * 6 + ["  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n ", "\r", " \r\n\r\n  ", "\u00a0", "\u3000", "\u2028", "\x85",
                      "\x0b", "\u200b", "/\n", ".\n\n", ""]
RANGES = [(0x20, 0x7f), (0, 0x20), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x900), (0x900, 0x1200),
          (0x1200, 0x2000), (0x2000, 0x2c00), (0x2e80, 0x3400), (0x3400, 0x4e00), (0x4e00, 0x9fff), (0xa000, 0xac00),
          (0xac00, 0xd7a4), (0xe000, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000), (0x1d400, 0x1d800),
          (0x1f300, 0x1faff), (0x20000, 0x20100), (0xe0000, 0xe0200)]


def letters(rng, alphabet, most):
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, most)))


def any_letters(rng, most):
    low, high = rng.choice(RANGES)
    return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, most)))


def rotated(rng, word):
    cut = rng.randrange(len(word) + 1)
    return word[cut:] + word[:cut]


# How often, and what; the texts of one script or of spaces and contractions alone are made besides.
PARTS = [(9, lambda rng, words: rng.choice(words) + rng.choice(SPACES)),
         (2, lambda rng, words: rotated(rng, rng.choice(words))),
         (2, lambda rng, words: rng.choice(SPACES) * rng.randrange(1, 12)),
         (2, lambda rng, words: letters(rng, "0123456789", rng.choice([12, 12, 40]))),
         (1, lambda rng, words: rng.choice("ab\u4f60") * rng.randrange(1, rng.choice([9, 150]))),
         (1, lambda rng, words: letters(rng, "abeinorst", rng.choice([9, 200]))),
         (1, lambda rng, words: letters(rng, " \n\t\r.'sSdlLvVeEtTmMrR1a\u00e9\u0301\u4e00#|\0", 3)),
         (2, lambda rng, words: any_letters(rng, 6))]
WEIGHTS, MAKERS = zip(*PARTS)


def random_text(rng, specials=(), words=WORDS):
    """Text without surrogates, with some of `specials`, which may be cut off."""
    kind, length = rng.random(), rng.choice([1, 2, 3, 5, 8, 20, 40])
    parts = []
    for _ in range(length):
        if kind < 0.12:
            parts.append(any_letters(rng, 2))
        elif kind < 0.2:
            parts.append(letters(rng, " \n\t\r.'sSdlLvVeEtTmMrR1a\u00e9\u0301\u4e00", 2))
        elif specials and rng.random() < 0.09:
            token = rng.choice(specials)
            parts.append(token if rng.random() < 0.8 else token[:-1])
        else:
            parts.append(rng.choices(MAKERS, WEIGHTS)[0](rng, words))
    return "".join(c for c in "".join(parts) if not 0xd800 <= ord(c) < 0xe000)


def assigned(text):
    """Without the code points that one side may not know: every library has the tables of its own year."""
    return "".join(c for c in text if unicodedata.category(c) != "Cn")
