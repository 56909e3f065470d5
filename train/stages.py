"""What each kind of stage trains: sets up data and model, then hands them to Trainer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

import packages
import sprites
import tokens
import weights
from autoencoder import Autoencoder, kl, reconstruction_loss, sample
from captions import Captioner
from denoiser import Denoiser, alphas_cumprod, diffusion_loss
from judge import Judge, JudgeLoss, Words
from pool import LatentPool
from scenes import Mixture, Painter, to_tensor_range
from training import Loss, Options, Trainer

KL_WEIGHT = 1e-4
CAPTION_DROP = 0.1
POOL = 4096  # scenes
# What the autoencoder sees: everything the denoiser may ever be asked to draw.
ANY_SCENE = Mixture(pairs=0.25, sizes=0.25)


@dataclass(frozen=True)
class Stage:
    """One entry of the queue.

    kind: judge, autoencoder (both halves), decoder (the encoder frozen, so that the latents stay
    what they are), denoiser. world and mixture say which pictures it sees.
    """

    name: str
    kind: str
    options: Options
    world: str = "narrow"
    mixture: Mixture = ANY_SCENE
    batch: int = 16


def run(stage: Stage, data: Path) -> None:
    """Runs a stage to its end, from its checkpoint if it has one; a finished one is not run again."""
    done = data / "stages" / stage.name / "done"
    if done.exists():
        return
    kinds: dict[str, Callable[[Stage, Path], None]] = {
        "judge": _judge, "autoencoder": _autoencoder, "decoder": _autoencoder, "denoiser": _denoiser,
    }
    if stage.kind not in kinds:
        raise ValueError(f"stage {stage.name}: no kind {stage.kind!r}, use one of {', '.join(kinds)}")
    kinds[stage.kind](stage, data)
    done.touch()


def ensure_tokenizer(data: Path) -> None:
    """Trains the tokenizer on captions of the wide world unless there is one."""
    folder = data / "weights" / "tokenizer"
    if (folder / "vocab.json").exists():
        return
    things = sprites.load(data, packages.GENERATOR, "wide")
    painter, captioner = Painter(things, ANY_SCENE), Captioner(things)
    rng = np.random.default_rng(0)
    texts = [captioner.caption(painter.draw(rng, i), rng) for i in range(len(things)) for _ in range(3)]
    tokens.train(texts, folder)


def _train(stage: Stage, data: Path, module: nn.Module, fresh: bool, loss: Callable[[], Loss],
           publish: Callable[[nn.Module], None]) -> None:
    trainer = Trainer(module, data / "stages" / stage.name, stage.options, fresh)
    trainer.resume()
    if not trainer.finished:
        trainer.run(loss(), publish)


def _judge(stage: Stage, data: Path) -> None:
    things = sprites.load(data, packages.JUDGE, stage.world)
    # The words of the narrow world are always there, so that a judge can go on in another world.
    table = [*things.words, *sprites.concepts().values()]
    words = Words.of([name for names in table for name in names])
    words.save(data / "judge" / "words.json")
    painter = Painter(things, stage.mixture)

    def publish(module: nn.Module) -> None:
        weights.save(module, path, 1.0)

    judge, path = Judge(len(words)), data / "judge" / "judge.safetensors"
    fresh = not path.exists()
    if not fresh:
        weights.load(judge, path)
    _train(stage, data, judge, fresh,
           lambda: JudgeLoss(things, painter, words, stage.batch, stage.options.device), publish)


def _autoencoder(stage: Stage, data: Path) -> None:
    path = data / "weights" / "autoencoder.safetensors"
    module, fresh, scale = Autoencoder(), not path.exists(), 0.0
    if not fresh:
        scale = weights.load(module, path)
    frozen = stage.kind == "decoder"
    if frozen and fresh:
        raise ValueError(f"stage {stage.name}: a decoder needs an encoder, train an autoencoder first")
    module.encoder.requires_grad_(not frozen)
    painter = Painter(sprites.load(data, packages.GENERATOR, stage.world), stage.mixture)
    device = stage.options.device

    def loss(model: nn.Module, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        return autoencoder_loss(model, _pictures(painter, rng, stage.batch, device), frozen)

    def publish(average: nn.Module) -> None:
        kept = scale if frozen else latent_scale(average, painter, device)
        weights.save(average, path, kept)

    _train(stage, data, module, fresh, lambda: loss, publish)


def _pictures(painter: Painter, rng: np.random.Generator, count: int, device: str) -> torch.Tensor:
    painted = np.stack([painter.paint(painter.draw(rng)) for _ in range(count)])
    tensor = torch.from_numpy(to_tensor_range(painted)).to(device)
    return tensor.contiguous(memory_format=torch.channels_last)


def autoencoder_loss(
    model: Autoencoder, pictures: torch.Tensor, frozen: bool
) -> tuple[torch.Tensor, dict[str, float]]:
    """Reconstruction loss, with the KL term unless the encoder is frozen; and the figures to log."""
    with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
        mean, log_variance = model.posterior(pictures)
        latents = sample(mean, log_variance)
    difference = model.decoder(latents) - pictures
    loss = reconstruction_loss(difference)
    divergence = kl(mean, log_variance)
    if not frozen:
        loss = loss + KL_WEIGHT * divergence
    # PSNR for pictures in [-1, 1]: the peak is 2.
    psnr = 10 * torch.log10(4 / (difference**2).mean((1, 2, 3))).mean()
    return loss, {"loss": loss.item(), "psnr": psnr.item(), "kl": divergence.item()}


@torch.no_grad()
def latent_scale(model: Autoencoder, painter: Painter, device: str) -> float:
    """The factor that gives latents unit standard deviation, over 256 scenes."""
    mean, _ = model.posterior(_pictures(painter, np.random.default_rng(0), 256, device))
    return 1 / mean.std().item()


def _denoiser(stage: Stage, data: Path) -> None:
    folder, device = data / "weights", stage.options.device
    ensure_tokenizer(data)
    tokenizer = tokens.load(folder / "tokenizer")
    module, path = Denoiser(len(tokenizer)), folder / "denoiser.safetensors"
    fresh = not path.exists()
    if not fresh:
        weights.load(module, path)
    autoencoder = Autoencoder()
    scale = weights.load(autoencoder, folder / "autoencoder.safetensors")
    autoencoder.to(device)

    def loss() -> Loss:
        painter = Painter(sprites.load(data, packages.GENERATOR, stage.world), stage.mixture)
        pool = LatentPool(autoencoder, scale, painter, POOL, max(1, stage.batch // 12))
        alphas = alphas_cumprod().to(device)

        def value(model: nn.Module, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
            latents, texts = pool.batch(stage.batch, CAPTION_DROP, rng)
            ids = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
            weighted, square = diffusion_loss(model, latents, ids.to(device), alphas)
            return weighted, {"loss": weighted.item(), "mse": square.item()}

        return value

    _train(stage, data, module, fresh, loss, lambda average: weights.save(average, path, scale))
