"""Exports trained weights to the ONNX folder layout of diffusers and checks the graphs.

    python export.py OUT_FOLDER [--data ~/.cache/ldx-train]

Weights are stored as float16 and cast to float32 in the graph; --bits 8 halves the files once more.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import onnx
import onnxruntime
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.nn import functional as F

import packages
import sprites
import storage
import tokens
import weights
from autoencoder import LATENTS, Autoencoder
from denoiser import BETAS, TIMESTEPS, WIDTH, Denoiser
from scenes import Painter, to_tensor_range

OPSET = 17
# The largest difference from PyTorch that is right, relative to the largest output, by bits a weight.
TOLERANCE = {16: 1e-5, 8: 5e-2}


class TextGraph(nn.Module):
    """input_ids [B, 24] to last_hidden_state [B, 24, 128] and pooler_output [B, 128]."""

    def __init__(self, denoiser: Denoiser):
        super().__init__()
        self.text = denoiser.text

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = self.text(input_ids)
        return out.last_hidden_state, out.pooler_output


class UNetGraph(nn.Module):
    """sample [B, 4, h, w], timestep [1] or [B], encoder_hidden_states [B, S, 128] to out_sample."""

    def __init__(self, denoiser: Denoiser):
        super().__init__()
        self.unet = denoiser.unet
        # The plain processor exports as MatMul and Softmax, which onnxruntime fuses itself.
        self.unet.set_attn_processor(AttnProcessor())

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        return self.unet(sample, timestep, states).sample


@dataclass(frozen=True)
class Graph:
    """One file: its module, example inputs, names, and which axes are free."""

    part: str
    module: nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: tuple[str, ...]
    free: dict[str, dict[int, str]]


def graphs(autoencoder: Autoencoder, denoiser: Denoiser) -> list[Graph]:
    """The four graphs with the names diffusers' own exports use."""
    picture = {0: "batch", 2: "height", 3: "width"}
    ids = torch.ones(1, tokens.LENGTH, dtype=torch.int32)
    unet = {
        "sample": torch.randn(2, LATENTS, 16, 16),
        "timestep": torch.tensor([500], dtype=torch.int64),
        "encoder_hidden_states": torch.randn(2, tokens.LENGTH, WIDTH),
    }
    unet_free = {
        "sample": picture, "timestep": {0: "steps"}, "encoder_hidden_states": {0: "batch", 1: "sequence"},
    }
    return [
        Graph("text_encoder", TextGraph(denoiser), {"input_ids": ids},
              ("last_hidden_state", "pooler_output"), {"input_ids": {0: "batch"}}),
        Graph("unet", UNetGraph(denoiser), unet, ("out_sample",), unet_free),
        Graph("vae_encoder", autoencoder.encoder, {"sample": torch.rand(1, 3, 128, 128) * 2 - 1},
              ("latent_parameters",), {"sample": picture}),
        Graph("vae_decoder", autoencoder.decoder, {"latent_sample": torch.randn(1, LATENTS, 16, 16)},
              ("sample",), {"latent_sample": picture}),
    ]


def export(graph: Graph, out: Path, bits: int) -> float:
    """Writes one graph and returns its largest difference from PyTorch, relative to the largest output.

    Raises ValueError where that exceeds the tolerance.
    """
    path = out / graph.part / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    module = graph.module.eval()
    torch.onnx.export(
        module, tuple(graph.inputs.values()), str(path), input_names=list(graph.inputs),
        output_names=list(graph.outputs), dynamic_axes=graph.free, opset_version=OPSET, dynamo=False,
    )
    model = onnx.load(path)
    storage.narrow(model, bits)
    model.producer_name, model.doc_string = "ldx train", ""
    onnx.checker.check_model(model)
    onnx.save(model, path)
    difference = compare(graph, path)
    if difference > TOLERANCE[bits]:
        raise ValueError(f"{path}: differs from PyTorch by {difference:.1e}, at most {TOLERANCE[bits]:g} is right")
    return difference


def compare(graph: Graph, path: Path) -> float:
    """The graph by onnxruntime against its module by PyTorch, on the example inputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {name: value.numpy() for name, value in graph.inputs.items()})
    with torch.no_grad():
        wanted = graph.module(*graph.inputs.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    return max(
        float(np.abs(g - w.numpy()).max() / np.abs(w.numpy()).max()) for g, w in zip(got, wanted, strict=True)
    )


def round_to_half(module: nn.Module) -> None:
    """Rounds large parameters to float16 in place, so that PyTorch computes with the stored weights."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() >= storage.SMALL:
                parameter.copy_(parameter.half().float())


@torch.no_grad()
def latent_to_rgb(autoencoder: Autoencoder, scale: float, data: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Least squares from scaled latents to the decoded pictures' 8x8 means.

    Returns factors [4, 3], bias [3] (RGB in [-1, 1]) and the share of variance explained.
    """
    painter, rng = Painter(sprites.load(data, packages.GENERATOR)), np.random.default_rng(0)
    painted = np.stack([painter.paint(painter.draw(rng)) for _ in range(256)])
    mean, _ = autoencoder.posterior(torch.from_numpy(to_tensor_range(painted)))
    colours = F.avg_pool2d(autoencoder.decoder(mean), 8).movedim(1, -1).reshape(-1, 3).numpy()
    latents = (mean * scale).movedim(1, -1).reshape(-1, LATENTS).numpy()
    design = np.concatenate([latents, np.ones((len(latents), 1), np.float32)], axis=1)
    solution = np.linalg.lstsq(design, colours, rcond=None)[0]
    explained = 1 - ((design @ solution - colours) ** 2).mean() / colours.var()
    return solution[:LATENTS], solution[LATENTS], float(explained)


def configs(scale: float, factors: np.ndarray, bias: np.ndarray, vocabulary: int) -> dict[str, dict]:
    """Every JSON file of the folder by its path."""
    version = diffusers.__version__
    vae = {
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": LATENTS,
        "sample_size": 128, "scaling_factor": scale, "block_out_channels": [32, 64, 128, 128],
        "latent_rgb_factors": rounded(factors), "latent_rgb_bias": rounded(bias),
    }
    runtime = ["diffusers", "OnnxRuntimeModel"]
    return {
        "vae_encoder/config.json": vae,
        "vae_decoder/config.json": vae,
        "unet/config.json": {
            "_class_name": "UNet2DConditionModel", "in_channels": LATENTS, "out_channels": LATENTS,
            "sample_size": 16, "cross_attention_dim": WIDTH, "block_out_channels": [64, 128, 192],
        },
        "text_encoder/config.json": {
            "_class_name": "CLIPTextModel", "hidden_size": WIDTH,
            "max_position_embeddings": tokens.LENGTH, "vocab_size": vocabulary,
        },
        "scheduler/scheduler_config.json": {
            "_class_name": "DDIMScheduler", "_diffusers_version": version,
            "num_train_timesteps": TIMESTEPS, "beta_start": BETAS[0], "beta_end": BETAS[1],
            "beta_schedule": "scaled_linear", "clip_sample": False, "set_alpha_to_one": False,
            "steps_offset": 1, "prediction_type": "epsilon", "timestep_spacing": "leading",
        },
        "model_index.json": {
            "_class_name": "OnnxStableDiffusionPipeline", "_diffusers_version": version,
            "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": runtime,
            "tokenizer": ["transformers", "CLIPTokenizer"], "unet": runtime, "vae_decoder": runtime,
            "vae_encoder": runtime, "safety_checker": [None, None], "feature_extractor": [None, None],
            "requires_safety_checker": False,
        },
        "ldx.json": {"steps": 20, "guidance": 3, "prompt": "a cat on a blue background"},
    }


def rounded(values: np.ndarray) -> list:
    """Four decimals, as Python floats."""
    return np.round(values.astype(np.float64), 4).tolist()


def main() -> None:
    """Parses the command line and exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("~/.cache/ldx-train"))
    parser.add_argument("--bits", type=int, choices=(8, 16), default=16, help="a stored weight's (default %(default)s)")
    args = parser.parse_args()
    data, out = args.data.expanduser(), args.out
    torch.manual_seed(0)
    torch.set_num_threads(2)
    tokenizer = tokens.load(data / "weights" / "tokenizer")
    autoencoder, denoiser = Autoencoder(), Denoiser(len(tokenizer))
    scale = weights.load(autoencoder, data / "weights" / "autoencoder.safetensors")
    weights.load(denoiser, data / "weights" / "denoiser.safetensors")
    for module in (autoencoder, denoiser):
        round_to_half(module)
        module.eval().requires_grad_(False)
    for graph in graphs(autoencoder, denoiser):
        difference = export(graph, out, args.bits)
        size = (out / graph.part / "model.onnx").stat().st_size
        print(f"{graph.part:13} {size / 1e6:6.2f} MB, differs from PyTorch by {difference:.1e}")
    factors, bias, explained = latent_to_rgb(autoencoder, scale, data)
    print(f"latent to RGB: R² {explained:.3f}")
    for name, content in configs(scale, factors, bias, len(tokenizer)).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n")
    tokens.copy(data / "weights" / "tokenizer", out / "tokenizer")


if __name__ == "__main__":
    main()
