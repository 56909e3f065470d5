"""The tokenizer: byte-level BPE in CLIP's file format, trained on captions."""

import json
import shutil
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

LENGTH = 24  # tokens a caption is padded or cut to
MERGED = 2046  # entries before the copies of the alphabet and the two special tokens
START, END = "<|startoftext|>", "<|endoftext|>"
FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")

# CLIP's own pre-tokenisation (Radford et al. 2021, simple_tokenizer.py), without its special tokens.
WORDS = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")


def load(folder: Path) -> CLIPTokenizer:
    """The tokenizer kept in a folder."""
    return CLIPTokenizer.from_pretrained(str(folder))


def copy(source: Path, target: Path) -> None:
    """Copies a tokenizer's files."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(source / name, target / name)


def train(captions: list[str], folder: Path) -> None:
    """Learns merges from captions and writes CLIP's four files into folder."""
    merges = _merges(captions)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # CLIP's order: bytes, bytes that end a word, merges, the two special tokens.
    entries = alphabet + [byte + "</w>" for byte in alphabet] + ["".join(pair) for pair in merges]
    vocabulary = {entry: i for i, entry in enumerate(dict.fromkeys(entries))}
    for special in (START, END):
        vocabulary[special] = len(vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    specials = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    config = {"model_max_length": LENGTH, **specials, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "special_tokens_map.json").write_text(json.dumps(specials, indent=1))


def _merges(captions: list[str]) -> list[tuple[str, str]]:
    """The BPE merges of the captions, most frequent first."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(WORDS, "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    trainer = trainers.BpeTrainer(
        vocab_size=MERGED,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer.model.save(scratch)
        lines = (Path(scratch) / "merges.txt").read_text("utf-8").splitlines()
    return [tuple(line.split(" ")) for line in lines if line and not line.startswith("#")]
