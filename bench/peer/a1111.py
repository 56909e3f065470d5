"""AUTOMATIC1111's text embeddings and variation noise, for the tests: transformers' tokenizer, onnxruntime, torch.

The prompts are taken apart by hand, in CASES: each is what ldx reads and, beside it, the pieces with their weights that
webui's documentation gives it. What follows is computed here: tokens, chunks with comma backtracking, the encoder,
weights, and the mean put back ("Original" emphasis). The means are taken in float64: they are near zero, so that torch's,
in float32, move results by up to some 1e-4, each device in its own way. Writes pipeline/testdata/a1111.npz: I/prompt and I/embedding [tokens, width].

Noise is turned towards another seed's as modules/rng.py does it, in torch's float32. Writes
samplers/testdata/slerp.json: both noises [C, H, W], the strength and what comes out.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from transformers import CLIPTokenizer

import program

BREAK = None
BACKTRACK = 20
LONG = "apple banana cherry grape lemon melon orange peach pear plum kiwi mango, cat dog fox bear lion tiger wolf horse"

CASES = [
    ("a red apple", [("a red apple", 1.0)]),
    ("a (red) apple", [("a", 1.0), ("red", 1.1), ("apple", 1.0)]),
    ("a [red] (apple:1.4) on ((blue))", [("a", 1.0), ("red", 1 / 1.1), ("apple", 1.4), ("on", 1.0), ("blue", 1.1 * 1.1)]),
    ("(a (cat:0.5) on white:1.3)", [("a", 1.3), ("cat", 0.5 * 1.3), ("on white", 1.3)]),
    (r"a \(cat\) (dog:0)", [("a (cat)", 1.0), ("dog", 0.0)]),
    ("a (cat:-0.5) BREAK a (dog:1.5)", [("a", 1.0), ("cat", -0.5), BREAK, ("a", 1.0), ("dog", 1.5)]),
    (LONG, [(LONG, 1.0)]),
    (f"({LONG}:1.2), [{LONG}]", [(LONG, 1.2), (",", 1.0), (LONG, 1 / 1.1)]),
    ("", []),
]


def chunks(tokenizer: CLIPTokenizer, pieces: list, room: int) -> list[list[tuple[int, float]]]:
    """Token ids and weights, chunk by chunk."""
    comma = tokenizer.convert_tokens_to_ids(",</w>")
    done, now, last = [], [], None
    for piece in pieces:
        if piece is BREAK:
            done, now, last = [*done, now], [], None
            continue
        text, weight = piece
        for token in tokenizer(text, add_special_tokens=False).input_ids:
            if len(now) == room:
                near = token != comma and last is not None and room - last <= BACKTRACK
                cut = last + 1 if near else room
                done, now, last = [*done, now[:cut]], now[cut:], None
            elif token == comma:
                last = len(now)
            now = [*now, (token, weight)]
    return [*done, now] if now or not done else done


def embed(tokenizer: CLIPTokenizer, encoder: onnxruntime.InferenceSession, pieces: list) -> np.ndarray:
    length = tokenizer.model_max_length
    embeddings = []
    for chunk in chunks(tokenizer, pieces, length - 2):
        ids = [tokenizer.bos_token_id, *(i for i, _ in chunk), tokenizer.eos_token_id]
        ids += [tokenizer.pad_token_id] * (length - len(ids))
        weights = np.ones((length, 1), np.float32)
        weights[1 : 1 + len(chunk), 0] = [w for _, w in chunk]
        z = encoder.run(None, {"input_ids": np.array([ids], np.int32)})[0][0]
        weighted = z * weights
        scale = z.mean(dtype=np.float64) / weighted.mean(dtype=np.float64)
        embeddings.append(weighted * np.float32(scale))
    return np.concatenate(embeddings)


def turned(strength: float, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Columns of [C, H, W] turned from low to high; nearly parallel ones are mixed, the wrong way round."""
    cosine = torch.sum(low / torch.norm(low, dim=1, keepdim=True) * (high / torch.norm(high, dim=1, keepdim=True)), 1)
    if cosine.mean() > 0.9995:
        return low * strength + high * (1 - strength)
    omega = torch.acos(cosine)
    near, far = torch.sin((1 - strength) * omega), torch.sin(strength * omega)
    return (near / torch.sin(omega)).unsqueeze(1) * low + (far / torch.sin(omega)).unsqueeze(1) * high


def noise_cases() -> list[dict]:
    shape = (2, 8, 3)
    low, high, other = (torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in (42, 43, 44))
    pairs = [(strength, low, high) for strength in (0.0, 0.1, 0.5, 0.9, 1.0)]
    pairs += [(0.3, low, low + 0.01 * other), (0.3, low, low + 0.05 * other), (0.3, low, -low + 0.3 * other)]
    cases = []
    for strength, a, b in pairs:
        tensors = {"low": a, "high": b, "want": turned(strength, a, b)}
        flat = {name: [float(v) for v in t.flatten()] for name, t in tensors.items()}
        cases.append({"shape": shape, "strength": strength, **flat})
    return cases


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, default=program.MODEL, help="model folder (default the embedded one's)")
    a = p.parse_args()
    tokenizer = CLIPTokenizer.from_pretrained(a.model / "tokenizer")
    path = a.model / "text_encoder" / "model.onnx"
    encoder = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    arrays = {}
    for i, (text, pieces) in enumerate(CASES):
        arrays[f"{i}/prompt"] = np.frombuffer(text.encode(), np.uint8)
        arrays[f"{i}/embedding"] = embed(tokenizer, encoder, pieces)
        print(f"{text[:60]!r}: {arrays[f'{i}/embedding'].shape}")
    np.savez(program.REPOSITORY / "pipeline" / "testdata" / "a1111.npz", **arrays)
    slerp = program.REPOSITORY / "samplers" / "testdata" / "slerp.json"
    slerp.write_text("[\n" + ",\n".join(json.dumps(c) for c in noise_cases()) + "\n]\n")


if __name__ == "__main__":
    main()
