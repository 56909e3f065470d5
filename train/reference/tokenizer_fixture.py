"""Writes the fixtures of pipeline/clip: what transformers' CLIPTokenizer makes of
many prompts, under many tokenizer folders, and what it makes of every code point.

    pip install transformers==5.23.0 tokenizers==0.23.3
    python train/reference/tokenizer_fixture.py [--bpe bpe_simple_vocab_16e6.txt.gz]

--bpe renews the committed copy of CLIP's merges from the file that the PyPI
package open_clip_torch ships (see pipeline/clip/testdata/README.md).
"""

import argparse
import gzip
import json
import pathlib
import random
import tempfile
import unicodedata

import tokenizers
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTDATA = ROOT / "pipeline/clip/testdata"
MERGES = TESTDATA / "clip_merges.txt.gz"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
MERGE_COUNT = 49152 - 256 - 2


def dump(name, value):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    (TESTDATA / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def clip_files():
    """CLIP's vocab.json and merges.txt, built from its merges as CLIP builds them."""
    merges = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(hidden))]
    vocab = letters + [c + "</w>" for c in letters]
    vocab += [m.replace(" ", "") for m in merges] + [BOS, EOS]
    return {
        "vocab.json": json.dumps({t: i for i, t in enumerate(vocab)}),
        "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n",
    }


def token(content, normalized=True, **flags):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, **flags}


def tiny_files():
    """A tokenizer.json whose vocabulary is not that of vocab.json, and merges in both forms."""
    letters = [chr(b) for b in range(0x21, 0x7F)]
    vocab = letters + [c + "</w>" for c in letters] + ["ca", "cat</w>", "at</w>", BOS, EOS, "<hat>"]
    model = {"type": "BPE", "vocab": {t: i for i, t in enumerate(vocab)}, "merges": [["c", "a"], "a t</w>", "ca t</w>"]}
    added = [{"id": vocab.index(t), "special": t != "<hat>", **token(t, normalized=t == "<hat>")} for t in vocab[-3:]]
    return json.dumps({"version": "1.0", "added_tokens": added, "model": model})


def folders():
    """Folders of overlays on CLIP's vocabulary: each writes its settings in another way."""
    both = {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS}
    objects = {k: token(v) for k, v in both.items()}
    typed = {k: {"__type": "AddedToken", **v} for k, v in objects.items()}
    decoder = {"49406": token(BOS, special=True), "49407": token(EOS, special=True)}
    return {
        "bare": {},
        "sd1": {
            "tokenizer_config.json": {**typed, "model_max_length": 77, "pad_token": EOS, "errors": "replace", "add_prefix_space": False},
            "special_tokens_map.json": {**objects, "pad_token": EOS},
        },
        "sd2": {
            "tokenizer_config.json": {**typed, "model_max_length": 77, "pad_token": EOS},
            "special_tokens_map.json": {**objects, "pad_token": "!"},
        },
        "sdxl2": {
            "tokenizer_config.json": {
                "added_tokens_decoder": {"0": token("!", normalized=False, special=True), **decoder},
                **both, "pad_token": "!", "model_max_length": 77,
            },
            "special_tokens_map.json": {**objects, "pad_token": token("!", normalized=False)},
        },
        "decoder_wins": {
            "tokenizer_config.json": {"added_tokens_decoder": decoder, **both, "pad_token": EOS, "model_max_length": 77},
            "special_tokens_map.json": {"pad_token": "!"},
        },
        "unflagged": {"special_tokens_map.json": {**{k: {"content": v} for k, v in both.items()}, "pad_token": {"content": "!"}}},
        "unlimited": {"tokenizer_config.json": {"model_max_length": 10**30}},
        "null": {"tokenizer_config.json": {"model_max_length": None, "pad_token": EOS}},
        "max_len": {"tokenizer_config.json": {"max_len": 12}},
        "short": {"tokenizer_config.json": {"model_max_length": 2}},
        "map_length": {"tokenizer_config.json": {"model_max_length": 9}, "special_tokens_map.json": {"model_max_length": 11}},
        "left": {"tokenizer_config.json": {"model_max_length": 8, "padding_side": "left", "truncation_side": "left"}},
        "inversion": {
            "added_tokens.json": {"<cat-toy>": 49408, "<Dog Toy>": 49409, "hello": 49410, "ÉTÉ": 49411},
            "tokenizer_config.json": {"model_max_length": 20},
        },
        "special_inversion": {
            "added_tokens.json": {"<cat-toy>": 49408, EOS: 49407, "!": 0},
            "special_tokens_map.json": {"pad_token": "!"},
        },
        "words": {
            "tokenizer_config.json": {
                "added_tokens_decoder": {
                    **decoder,
                    "320": token("a", single_word=True),
                    "49408": token("cat", normalized=False, single_word=True, special=False),
                    "49409": token("<hat>", lstrip=True, rstrip=True, special=False),
                    "49410": token("<h", special=False),
                    "49411": token("CATS", normalized=False, special=True),
                },
                **both, "pad_token": EOS,
            },
        },
        "extra": {
            "tokenizer_config.json": {"extra_special_tokens": ["<x>", "<y>"], "image_token": "<image>"},
        },
        "additional": {"special_tokens_map.json": {"additional_special_tokens": ["<x>", "hello"]}},
        "split_special": {"tokenizer_config.json": {"split_special_tokens": True, "model_max_length": 40}},
        "renamed": {"tokenizer_config.json": {"bos_token": "hello</w>", "eos_token": "cat</w>", "pad_token": "a</w>", "unk_token": EOS}},
        "tokenizer_json": {"tokenizer.json": tiny_files(), "tokenizer_config.json": {"model_max_length": 16}},
    }


def handmade():
    """Prompts that each try one thing."""
    zalgo = "z" + "".join(chr(0x300 + i % 0x45) for i in range(60)) + "a\u0316\u0301\u0323"
    lines = [
        "", " ", "   ", "\t\n\r\v\f", "\u00a0\u2003\u3000", "\u0085", "\u200b", "\u200c\u200d\ufeff", "\u2060", "\u180e",
        "a photo of a cat", "A Photo OF a CAT", "a cat, sitting on a mat.", "masterpiece, best quality, (detailed:1.2), [ugly], {curly}",
        "portrait of a woman, oil on canvas, by Rembrandt, 8k, artstation, trending, highly detailed",
        "  leading and trailing  ", "tabs\tand\nnewlines\r\nand\vmore\fhere", "double  spaces   and    more", "a\u00a0b\u2009c\u3000d\u2028e\u2029f\u0085g",
        "nul\x00inside", "\x00", "\x01\x02\x1f\x7f\x80\x9f", "a\x1cb\x1db\x1ec\x1fd", "bell\x07 esc\x1b[31m", "\ufffd\ufffe\uffff", "\U0010ffff\U000f0000",
        "1", "12", "12345", "3.14159", "1,000,000", "2024-01-31", "v1.5", "sd15", "8k4k", "①②Ⅷ½²٣४", "٠١٢٣", "一二三", "𝟙𝟚", "x²+y²=z²",
        "don't", "DON'T", "it's I'm you're we've he'll I'd", "'s't're've'm'll'd", "''s", "'S 'LL", "rock'n'roll", "o'clock '90s", "don\u2019t", "' s", "'", "''''", "a'", "'a", "!'s", "x'restart", "'lll", "'sd",
        "!", "!!", "!!!", "hello!", "hello !", "wow!!! so cool!?", "?!?!", "...", "\u2026", "--", "---", "\u2014", "#hashtag @user", "http://example.com/a?b=c&d=e#f", "a_b_c", "C:\\path\\to\\file", "50% off $9.99 \u20ac10 \u00a35", "\"quotes\" \u201ccurly\u201d \u00abguillemets\u00bb", "`code` ~tilde~ ^caret^ |pipe|", "<tag attr=\"x\">", "a/b a//b", "(((nested)))",
        "caf\u00e9", "cafe\u0301", "CAFE\u0301", "CAF\u00c9", "\u00c5 A\u030a \u212b", "\u1e9b\u0323", "\u0061\u0328\u0301", "a\u0301\u0328", "q\u0307\u0323", "q\u0323\u0307", "\u0958", "\u0915\u093c", "\u2126 \u212a \u212b", "\uf900\ufa30", "\u0344", "\u0340\u0341\u0343", "\u0374\u037e\u0387", "o\u0302\u0301 \u1ed1", "\u1100\u1161\u11a8", "\uac00\u11a8", "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "\u0301", "\u0301a", " \u0301", "a \u0301", zalgo, "H\u0338e\u0335l\u0336l\u0337o\u0338", "\u0b47\u0b3e \u0dd9\u0dcf\u0dca", "\U0001d15e\U0001d1bb", "\u05d0\u05b7\u05bc\u05c1", "\ufb2a\ufb49",
        "\u0130stanbul", "I\u0307stanbul", "\u0131\u0130iI", "D\u0130YARBAKIR", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3", "\u03a3", "\u03a3\u03a3 \u03a3.", "\u03c2\u03c3", "Stra\u00dfe STRASSE \u1e9e", "\u1e9e\u00df", "\ufb01ne \ufb02ow \ufb03 \ufb04 \ufb05 \ufb06", "\u01c4\u01c5\u01c6 \u01c7 \u01ca", "\u1f88\u1f80 \u1fbc", "\u2160\u2170 \u24b6\u24d0", "\uff21\uff22\uff23 \uff41 \uff11", "\U00010400\U00010428", "\u13a0\uab70", "\u10a0\u2d00 \u1c90\u10d0", "\u0149 \u01f0 \u1e96",
        "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0419\u0418\u0306", "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "abc \u05d0\u05d1\u05d2 123 \u0645\u0631\u062d\u0628\u0627 xyz", "\u202eevil\u202c \u2066iso\u2069 \u200elrm\u200f", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u0bb5\u0ba3\u0b95\u0bcd\u0b95\u0bae\u0bcd", "Xin ch\u00e0o th\u1ebf gi\u1edbi", "\u10d2\u10d0\u10db\u10d0\u10e0\u10ef\u10dd\u10d1\u10d0", "\u0531\u0532 \u0561\u0562 \u0587",
        "\u4e00\u53ea\u732b", "\u732b\u306e\u5199\u771f", "\u30cd\u30b3\u3068\u72ac", "\u304b\u3099 \u304c", "\uff76\uff9e", "\uff8a\uff9f", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\u3010\u732b\u3011\u300c\u72ac\u300d", "\uace0\uc591\uc774 \uc0ac\uc9c4", "a\u732bb", "\u732b123\u72ac", "\U00020000\U0002a6d6", "\U0002ebf0\U00031350", "\u3400\u9fff",
        "\U0001f600", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308", "\u2764\ufe0f\u200d\U0001f525", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "1\ufe0f\u20e3", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "cat\U0001f431dog\U0001f436", "\U0001f431 \U0001f431", "\u263a\ufe0e \u263a\ufe0f", "\U0001fae8\U0001faf7", "\u2728 magic \u2728",
        EOS, BOS, f"{BOS}{EOS}", f"a {EOS} b", f"a{EOS}b", f"{EOS}{EOS}{EOS}", EOS.upper(), BOS.title(), f"x{EOS.upper()}!!", f"!{EOS.upper()}", f" {BOS} cat {EOS} ", "<|endoftext|", "|endoftext|>", "<|endoftext|>>", "<<|endoftext|>", "<| endoftext |>", "<|endoftext|>\u0301", "e<|endoftext|>\u0301", "<|EndOfText|>s 's", "<|pad|>", "</w>", "cat</w>", "hello</w> world</w>", "<|startoftext|>!!<|STARTOFTEXT|>!!",
        "<cat-toy>", "a <cat-toy> on a <Dog Toy>", "<CAT-TOY><dog toy><Dog  Toy>", "hello HELLO hellohello", "\u00c9T\u00c9 \u00e9t\u00e9 e\u0301te\u0301", "a cat cats CATS a-cat cat_ cat1 \u00e9cat ca\u0301t", "the <hat> <HAT>  <h <ha", "an a A a1 a\u0301 (a)", "<x><y> <image> <X>", "hello<x>hello world", "!<x>! hello!!", "a\u200da a\u0903 a\u0345",
        "x" * 76, "cat " * 75, "cat " * 76, "cat " * 80, "cat dog " * 100, "\u00e9" * 80, "\U0001f431" * 60, "!" * 200, "1" * 100, "supercalifragilisticexpialidocious", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "pneumonoultramicroscopicsilicovolcanoconiosis", "aaaaaaaaaaaaaaaa", "abababababab", "thethethethe", "ththththth\u00e9", "zzzzzzzzz", "qwertyuiopasdfghjklzxcvbnm",
    ]
    return lines


def generated(rng):
    """Random prompts: mixed scripts, stacks of marks, near-misses of the special tokens, and long ones."""
    words = "a the of cat dog photo painting detailed 4k hdr city don't it's neon rock'n'roll rembrandt \u00e9t\u00e9 na\u00efve 1girl (masterpiece:1.3) bokeh, f/1.8".split()
    blocks = [(0x20, 0x7F), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xEFF), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFD), (0x1F300, 0x1FAFF)]
    pieces = ["<|", "|>", "endoftext", "startoftext", EOS, BOS, "'s", "'", "!", " ", "EndOfText", "\u0301", "\u200d", "1", "a"]
    marks = [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c))]
    for _ in range(60):
        yield " ".join(rng.choice(words) for _ in range(rng.randint(3, 40)))
    for _ in range(60):
        lo, hi = rng.choice(blocks)
        yield "".join(chr(rng.randint(lo, hi)) for _ in range(rng.randint(1, 40)))
    for _ in range(60):
        yield "".join(chr(rng.randint(*rng.choice(blocks))) for _ in range(rng.randint(1, 30)))
    for _ in range(40):
        yield "".join(rng.choice(pieces) for _ in range(rng.randint(2, 12)))
    for _ in range(40):
        yield "".join(rng.choice("aeo\u0226\u1ea5\u0915\u1100\uac00 ") + "".join(rng.choice(marks) for _ in range(rng.choice([1, 3, 9, 12, 35]))) for _ in range(3))
    for size in (10_000,):
        yield "a" * size
        yield "ab" * (size // 2)
        yield "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(size))
        yield "".join(rng.choice("etaoin shrdlu,. ") for _ in range(size))
        yield "\u732b" * size
        yield "a" + "\u0301\u0316" * (size // 2)
        yield "!" * size


def byte_offsets(text, offsets):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [at[i] for pair in offsets for i in pair]


def expectation(tok, text):
    """IDs with and without the frame, and where each token stands, in bytes."""
    plain = tok(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    length = tok.model_max_length if tok.model_max_length < 10**20 else 77
    framed = tok(text, padding="max_length", truncation=True, max_length=length)
    return {"ids": plain["input_ids"], "offsets": byte_offsets(text, plain["offset_mapping"]), "framed": framed["input_ids"]}


def load(files, base):
    with tempfile.TemporaryDirectory() as name:
        for file, content in {**base, **files}.items():
            (pathlib.Path(name) / file).write_text(content if isinstance(content, str) else json.dumps(content), newline="")
        return transformers.CLIPTokenizer.from_pretrained(name)


def prompts_fixture():
    clip = clip_files()
    source = ROOT / "assets/model/tokenizer"
    small = {p.name: p.read_text() for p in sorted(source.iterdir())}
    prompts = handmade()
    random_prompts = list(generated(random.Random(20210226)))
    cases = []
    for name, files, base, texts in [
        ("embedded", small, {}, prompts + random_prompts),
        ("clip", {}, clip, prompts + random_prompts),
        *((name, files, clip, prompts) for name, files in folders().items()),
    ]:
        tok = load(files, base)
        texts = list(dict.fromkeys(texts))
        cases.append({
            "name": name,
            "clip": bool(base),
            "files": {k: v if isinstance(v, str) else json.dumps(v) for k, v in files.items()},
            "prompts": [{"text": t, **expectation(tok, t)} for t in texts],
        })
        print(f"{name}: {len(texts)} prompts, {tok.pad_token!r} pads")
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    dump("prompts.json.gz", {"versions": versions, "folders": cases})


def kind(split, c):
    """How the splitter sees a character: a letter, numeral, space or other."""
    pieces = split("a" + c + "a")
    if len(pieces) < 3:
        return "letter" if len(pieces) == 1 else "space"
    return "numeral" if len(split(c + c)) == 2 else "other"


def unicode_fixture():
    """Runs of one kind, the characters that normalisation changes, and how marks order and compose."""
    backend = load({}, clip_files()).backend_tokenizer
    split, normal = backend.pre_tokenizer.pre_tokenize_str, backend.normalizer.normalize_str
    runs, changed, composed = [], [], {}
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        c = chr(code)
        k = kind(split, c)
        if runs and runs[-1][2] == k and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code, k])
        if normal(c) != c:
            changed.append([c, normal(c)])
        if unicodedata.combining(c):
            for text in ("b" + c + "\u0334", "b\u0301" + c, "b" + c + "\u0327"):
                composed[text] = normal(text)
        apart = unicodedata.normalize("NFD", c)
        if apart != c:
            composed[apart] = normal(apart)
            nearly = unicodedata.normalize("NFC", apart[:-1]) + apart[-1]
            composed[nearly] = normal(nearly)
    dump("unicode.json.gz", {"kinds": runs, "changed": changed, "composed": list(composed.items())})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bpe", type=pathlib.Path, help="bpe_simple_vocab_16e6.txt.gz of open_clip_torch")
    args = parser.parse_args()
    TESTDATA.mkdir(exist_ok=True)
    if args.bpe:
        lines = gzip.decompress(args.bpe.read_bytes()).decode().split("\n")[1 : MERGE_COUNT + 1]
        MERGES.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    prompts_fixture()
    unicode_fixture()


if __name__ == "__main__":
    main()
