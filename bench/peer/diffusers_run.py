"""A picture as a Python user makes it: diffusers' scheduler, transformers' tokenizer, onnxruntime, torch's noise.

Run, it is one cold process from a prompt to a PNG (peer.py times it). Imported, it is the reference that
traces.py holds ldx against. Guidance runs the UNet on one batch of 2, as diffusers' pipelines do.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import DDIMScheduler
from PIL import Image
from transformers import CLIPTokenizer


@dataclass(frozen=True)
class Settings:
    """What decides a run; spacing None is the model's."""

    prompt: str
    negative: str = ""
    steps: int = 20
    guidance: float = 3.0
    eta: float = 0.0
    seed: int = 42
    spacing: str | None = None


@dataclass(frozen=True)
class Call:
    """One step: the latent it starts from, what the UNet makes of it, and where it leads; arrays [1, C, H, W]."""

    timestep: int
    sigma: float
    x: np.ndarray
    eps_cond: np.ndarray
    eps_uncond: np.ndarray
    eps: np.ndarray
    x0: np.ndarray
    next_x: np.ndarray


class Reference:
    """A model folder loaded for Python."""

    def __init__(self, model: Path, threads: int):
        torch.set_num_threads(threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.text, self.unet, self.decoder = (
            onnxruntime.InferenceSession(model / part / "model.onnx", options, providers=["CPUExecutionProvider"])
            for part in ("text_encoder", "unet", "vae_decoder")
        )
        self.tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
        self.scheduler = DDIMScheduler.from_pretrained(model / "scheduler")
        vae = json.loads((model / "vae_decoder" / "config.json").read_text())
        unet = json.loads((model / "unet" / "config.json").read_text())
        self.scaling = np.float32(vae["scaling_factor"])
        self.latent = (1, vae["latent_channels"], unet["sample_size"], unet["sample_size"])

    def embed(self, prompt: str) -> np.ndarray:
        """The text encoder's hidden states, [1, tokens, width]."""
        ids = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="np",
        ).input_ids
        return self.text.run(None, {"input_ids": ids.astype(np.int32)})[0]

    def predict(self, x: np.ndarray, t: int, states: np.ndarray) -> np.ndarray:
        """The UNet's output for each of the hidden states, [B, C, H, W]."""
        feed = {"sample": np.repeat(x, len(states), 0), "timestep": np.array([t], np.int64)}
        return self.unet.run(None, {**feed, "encoder_hidden_states": states})[0]

    def calls(self, s: Settings) -> Iterator[Call]:
        """The run, step by step."""
        over = {} if s.spacing is None else {"timestep_spacing": s.spacing}
        scheduler = DDIMScheduler.from_config(self.scheduler.config, **over)
        scheduler.set_timesteps(s.steps)
        generator = torch.Generator("cpu").manual_seed(s.seed)
        x = torch.randn(self.latent, generator=generator) * scheduler.init_noise_sigma
        states = self.embed(s.prompt)
        if s.guidance > 1:
            states = np.concatenate([self.embed(s.negative), states])
        for t in scheduler.timesteps:
            outputs = self.predict(x.numpy(), int(t), states)
            eps_uncond, eps_cond = outputs[:1], outputs[-1:]
            eps = eps_cond
            if s.guidance > 1:
                eps = eps_uncond + np.float32(s.guidance) * (eps_cond - eps_uncond)
            out = scheduler.step(torch.from_numpy(eps), t, x, eta=s.eta, generator=generator)
            alpha = scheduler.alphas_cumprod[t].item()
            x0, following = out.pred_original_sample.numpy(), out.prev_sample
            yield Call(
                int(t), ((1 - alpha) / alpha) ** 0.5, x.numpy(), eps_cond, eps_uncond, eps, x0, following.numpy()
            )
            x = following

    def decode(self, x: np.ndarray) -> np.ndarray:
        """A latent [1, C, H, W] to a picture [height, width, 3] of bytes."""
        rgb = self.decoder.run(None, {"latent_sample": x / self.scaling})[0][0]
        return np.round(np.clip(rgb / 2 + 0.5, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--prompt", required=True)
    p.add_argument("--steps", type=int, required=True)
    p.add_argument("--guidance", type=float, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--threads", type=int, required=True)
    p.add_argument("--output", type=Path, required=True)
    a = p.parse_args()
    reference = Reference(a.model, a.threads)
    for call in reference.calls(Settings(a.prompt, steps=a.steps, guidance=a.guidance, seed=a.seed)):
        x = call.next_x
    Image.fromarray(reference.decode(x)).save(a.output)


if __name__ == "__main__":
    main()
