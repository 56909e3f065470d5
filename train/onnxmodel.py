"""Runs an exported model folder with onnxruntime and diffusers' own scheduler."""

import json
from pathlib import Path

import diffusers
import numpy as np
import onnxruntime
import torch

import tokens


class OnnxModel:
    """The four graphs, the tokenizer and the scheduler of a folder in diffusers' ONNX layout."""

    def __init__(self, folder: Path, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._sessions = {
            part: onnxruntime.InferenceSession(
                str(folder / part / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for part in ("text_encoder", "unet", "vae_encoder", "vae_decoder")
        }
        self.tokenizer = tokens.load(folder / "tokenizer")
        self.scheduler = diffusers.DDIMScheduler.from_pretrained(str(folder / "scheduler"))
        self.scale = np.float32(json.loads((folder / "vae_decoder/config.json").read_text())["scaling_factor"])

    def run(self, part: str, **inputs: np.ndarray) -> np.ndarray:
        """The first output of one graph."""
        return self._sessions[part].run(None, inputs)[0]

    def encode_text(self, prompts: list[str]) -> np.ndarray:
        """float32 [B, 24, 128]."""
        ids = self.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="np").input_ids
        return self.run("text_encoder", input_ids=ids.astype(np.int32))

    def reconstruct(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 [B, H, W, 3] through the encoder's mean and the decoder."""
        planes = np.moveaxis(pictures, -1, 1).astype(np.float32) / 127.5 - 1
        parameters = self.run("vae_encoder", sample=planes)
        return to_pixels(self.run("vae_decoder", latent_sample=parameters[:, : parameters.shape[1] // 2]))

    def sample(self, prompts: list[str], seeds: list[int], steps: int = 20, guidance: float = 3.0) -> np.ndarray:
        """DDIM samples of prompts, one seed each: uint8 [B, 128, 128, 3]."""
        states = np.concatenate([self.encode_text(prompts), self.encode_text([""] * len(prompts))])
        x = torch.cat([torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(s)) for s in seeds])
        self.scheduler.set_timesteps(steps)
        for timestep in self.scheduler.timesteps:
            twice = np.concatenate([x.numpy(), x.numpy()])
            noise = self.run("unet", sample=twice, timestep=timestep.numpy().reshape(1),
                             encoder_hidden_states=states)
            wanted, empty = np.split(noise, 2)
            guided = torch.from_numpy(empty + np.float32(guidance) * (wanted - empty))
            x = self.scheduler.step(guided, timestep, x).prev_sample
        return to_pixels(self.run("vae_decoder", latent_sample=x.numpy() / self.scale))


def to_pixels(planes: np.ndarray) -> np.ndarray:
    """float [B, 3, H, W] in [-1, 1] to uint8 [B, H, W, 3]."""
    return np.moveaxis(np.rint(np.clip(planes / 2 + 0.5, 0, 1) * 255), 1, -1).astype(np.uint8)
