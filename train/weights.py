"""The weights that stages hand on to one another and to export: safetensors files in a folder."""

import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from autoencoder import Autoencoder
from denoiser import Denoiser

# Block names of the starting model's nn.Sequential, by position.
_START_ENCODER = {1: "conv_in", 2: "a64_res0", 3: "down32", 4: "a32_res0", 5: "down16",
                  6: "a16_res0", 7: "a16_res1", 8: "norm_out", 10: "conv_out"}
_START_DECODER = {0: "conv_in", 1: "a16_res0", 2: "a16_res1", 3: "a16_res2", 5: "conv32", 6: "a32_res0",
                  7: "a32_res1", 9: "conv64", 10: "a64_res0", 11: "norm_out", 13: "conv_out"}
_START_LAYERS = {"n1": "norm1", "c1": "conv1", "n2": "norm2", "c2": "conv2"}


def save(module: nn.Module, path: Path, scale: float) -> None:
    """Writes a module's parameters and the latents' scaling factor, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    tensors = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, partial, metadata={"scaling_factor": repr(scale)})
    os.replace(partial, path)


def load(module: nn.Module, path: Path) -> float:
    """Reads what save wrote into the module; returns the scaling factor.

    Blocks the file does not have keep their values where they are residual (and so begin as the
    identity): a model can be given more depth without starting again.
    """
    with safe_open(str(path), "pt") as file:
        scale = float(file.metadata()["scaling_factor"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    missing, unexpected = module.load_state_dict(tensors, strict=False)
    wrong = [name for name in missing if "_res" not in name] + list(unexpected)
    if wrong:
        raise ValueError(f"{path}: does not fit this architecture, the first difference is {wrong[0]}")
    return scale


def import_start(path: Path, scale: float, folder: Path) -> None:
    """Turns the starting model's single weights file into autoencoder and denoiser files."""
    ours: dict[str, dict[str, torch.Tensor]] = {"autoencoder": {}, "denoiser": {}}
    vocabulary = 0
    with safe_open(str(path), "pt") as file:
        for name in file.keys():
            tensor = file.get_tensor(name).float()
            part, renamed = _renamed(name)
            ours[part][renamed] = tensor
            if renamed == "text.embeddings.token_embedding.weight":
                vocabulary = len(tensor)
    autoencoder, denoiser = Autoencoder(), Denoiser(vocabulary)
    for name, module in (("autoencoder", autoencoder), ("denoiser", denoiser)):
        missing, unexpected = module.load_state_dict(ours[name], strict=False)
        if unexpected or any("_res" not in key for key in missing):
            raise ValueError(f"{path}: not the starting model's weights ({(unexpected + missing)[0]})")
        save(module, folder / f"{name}.safetensors", scale)


def _renamed(name: str) -> tuple[str, str]:
    """The starting model's parameter name as (part, our name)."""
    part, _, rest = name.partition(".")
    if part == "unet":
        return "denoiser", "unet." + rest
    if part == "text_encoder":
        return "denoiser", "text." + rest
    half, _, position, *layer = rest.split(".")
    table = _START_ENCODER if half == "enc" else _START_DECODER
    layer = [_START_LAYERS.get(word, word) for word in layer]
    return "autoencoder", ".".join(["encoder" if half == "enc" else "decoder", table[int(position)], *layer])
