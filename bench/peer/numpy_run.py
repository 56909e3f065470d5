"""A picture with the least Python there is: numpy and onnxruntime, one cold process from a prompt to a PNG.

It leaves out what costs a Python user most, and so is the harder peer: no torch (the start noise is read from a
.npy file that peer.py prepares beforehand, outside the time measured), no transformers (a byte-pair encoder for
plain ASCII prompts below) and no diffusers (DDIM with eta 0, epsilon and leading spacing below).
"""

import argparse
import itertools
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def word_tokens(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Merge a word's characters, the lowest rank first, until no pair is left to merge."""
    parts = [*word[:-1], word[-1] + "</w>"]
    while len(parts) > 1:
        rank, i = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(itertools.pairwise(parts)))
        if rank == len(ranks):
            break
        parts[i : i + 2] = ["".join(parts[i : i + 2])]
    return parts


def token_ids(prompt: str, folder: Path) -> np.ndarray:
    """CLIP's token ids of an ASCII prompt, [1, model_max_length], padded as the folder says."""
    if not prompt.isascii():
        raise SystemExit(f"prompt {prompt!r} is not ASCII, which is all that this script reads")
    vocabulary = json.loads((folder / "vocab.json").read_text())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    merges = (folder / "merges.txt").read_text().splitlines()[1:]
    ranks = {tuple(line.split()): i for i, line in enumerate(merges)}
    words = re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", prompt.lower())
    ids = [vocabulary[t] for w in words for t in word_tokens(w, ranks)]
    length = config["model_max_length"]
    ids = [vocabulary[config["bos_token"]], *ids[: length - 2], vocabulary[config["eos_token"]]]
    ids += [vocabulary[config["pad_token"]]] * (length - len(ids))
    return np.array([ids], np.int32)


def alpha_bars(config: dict) -> np.ndarray:
    """The cumulative products of a scaled_linear schedule."""
    betas = np.linspace(config["beta_start"] ** 0.5, config["beta_end"] ** 0.5, config["num_train_timesteps"]) ** 2
    return np.cumprod(1 - betas).astype(np.float32)


def check(config: dict) -> None:
    """Refuse a scheduler that the loop in main does not stand for."""
    want = {
        "beta_schedule": "scaled_linear",
        "prediction_type": "epsilon",
        "timestep_spacing": "leading",
        "clip_sample": False,
        "set_alpha_to_one": False,
    }
    for key, value in want.items():
        if config[key] != value:
            raise SystemExit(f"scheduler_config.json: {key} is {config[key]!r}, this script can only do {value!r}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--prompt", required=True)
    p.add_argument("--steps", type=int, required=True)
    p.add_argument("--guidance", type=float, required=True)
    p.add_argument("--noise", type=Path, required=True, help=".npy with the start noise, float32 [1, C, H, W]")
    p.add_argument("--threads", type=int, required=True)
    p.add_argument("--output", type=Path, required=True)
    a = p.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = a.threads
    text, unet, decoder = (
        onnxruntime.InferenceSession(a.model / part / "model.onnx", options, providers=["CPUExecutionProvider"])
        for part in ("text_encoder", "unet", "vae_decoder")
    )
    scheduler = json.loads((a.model / "scheduler" / "scheduler_config.json").read_text())
    check(scheduler)
    vae = json.loads((a.model / "vae_decoder" / "config.json").read_text())
    prompts = ["", a.prompt] if a.guidance > 1 else [a.prompt]
    ids = np.concatenate([token_ids(p, a.model / "tokenizer") for p in prompts])
    states = text.run(None, {"input_ids": ids})[0]

    alphas, stride = alpha_bars(scheduler), scheduler["num_train_timesteps"] // a.steps
    x = np.load(a.noise)
    for i in reversed(range(a.steps)):
        t = i * stride + scheduler["steps_offset"]
        feed = {"sample": np.repeat(x, len(states), 0), "timestep": np.array([t], np.int64)}
        outputs = unet.run(None, {**feed, "encoder_hidden_states": states})[0]
        eps = outputs[-1:]
        if a.guidance > 1:
            eps = outputs[:1] + np.float32(a.guidance) * (eps - outputs[:1])
        alpha, following = alphas[t], alphas[max(t - stride, 0)]
        x0 = (x - np.sqrt(1 - alpha) * eps) / np.sqrt(alpha)
        x = np.sqrt(following) * x0 + np.sqrt(1 - following) * eps

    rgb = decoder.run(None, {"latent_sample": x / np.float32(vae["scaling_factor"])})[0][0]
    picture = np.round(np.clip(rgb / 2 + 0.5, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(picture).save(a.output)


if __name__ == "__main__":
    main()
