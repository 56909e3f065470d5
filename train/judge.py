"""The judge of evaluate.py: a small image-text model in the manner of CLIP (Radford et al. 2021).

It learns from drawings of the same things by other artists (packages.JUDGE), so that a generator
cannot please it by repeating what both were trained on, and it is frozen once trained.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from scenes import COLOURS, Painter, to_tensor_range
from sprites import Sprites

DIMENSIONS = 128


class Block(nn.Module):
    """A residual block after a stride-2 convolution."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.down = nn.Conv2d(inside, outside, 3, 2, 1)
        self.norm1, self.conv1 = nn.GroupNorm(8, outside), nn.Conv2d(outside, outside, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, outside), nn.Conv2d(outside, outside, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.down(x)
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Judge(nn.Module):
    """Embeds pictures and names in one space; the cosine of a pair says how well they match."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.picture = nn.Sequential(
            Block(3, 32), Block(32, 64), Block(64, 128), Block(128, 224),
            nn.GroupNorm(8, 224), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(224, DIMENSIONS),
        )
        self.words = nn.EmbeddingBag(vocabulary, 128, mode="mean", padding_idx=0)
        self.name = nn.Sequential(nn.Linear(128, 256), nn.SiLU(), nn.Linear(256, DIMENSIONS))
        self.log_scale = nn.Parameter(torch.tensor(2.5))

    def embed_pictures(self, pictures: torch.Tensor) -> torch.Tensor:
        """[B, 3, 64, 64] in [-1, 1] (see shrink) to unit vectors [B, 128]."""
        return F.normalize(self.picture(pictures), dim=-1)

    def embed_names(self, ids: torch.Tensor) -> torch.Tensor:
        """Word numbers [N, W], 0 where a name has fewer words, to unit vectors [N, 128]."""
        return F.normalize(self.name(self.words(ids)), dim=-1)


class Words:
    """Numbers for the words of names; 0 is padding, 1 any word never seen."""

    def __init__(self, known: list[str]):
        self.known = known
        self.number = {word: i + 2 for i, word in enumerate(known)}

    @classmethod
    def of(cls, names: list[str]) -> "Words":
        """All words of the names."""
        return cls(sorted({word for name in names for word in name.split()}))

    def __len__(self) -> int:
        return len(self.known) + 2

    def ids(self, names: list[str]) -> torch.Tensor:
        """int64 [N, 6]: the first six words of each name."""
        table = torch.zeros(len(names), 6, dtype=torch.int64)
        for row, name in enumerate(names):
            for column, word in enumerate(name.split()[:6]):
                table[row, column] = self.number.get(word, 1)
        return table

    def save(self, path: Path) -> None:
        """Writes the words as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.known))

    @classmethod
    def load(cls, path: Path) -> "Words":
        """Reads what save wrote."""
        return cls(json.loads(path.read_text()))


class JudgeLoss:
    """Cross-entropy of each picture over the names of all things, pictures freshly disturbed."""

    def __init__(self, sprites: Sprites, painter: Painter, words: Words, batch: int, device: str):
        self.names = sorted({names[0] for names in sprites.words})
        self.number = {name: i for i, name in enumerate(self.names)}
        self.sprites, self.painter, self.batch, self.device = sprites, painter, batch, device
        self.ids = words.ids(self.names).to(device)

    def __call__(self, judge: Judge, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        scenes = [self.painter.draw(rng) for _ in range(self.batch)]
        pictures = to_tensor_range(np.stack([self.painter.paint(scene) for scene in scenes]))
        wanted = [self.number[self.sprites.words[scene.items[0].sprite][0]] for scene in scenes]
        target = torch.tensor(wanted, device=self.device)
        seen = disturb(shrink(torch.from_numpy(pictures).to(self.device)))
        logits = judge.log_scale.exp() * judge.embed_pictures(seen) @ judge.embed_names(self.ids).T
        right = (logits.argmax(1) == target).float().mean().item()
        loss = F.cross_entropy(logits, target, label_smoothing=0.05)
        return loss, {"loss": loss.item(), "right": right}


def shrink(pictures: torch.Tensor) -> torch.Tensor:
    """128x128 pictures at the judge's size, 64x64."""
    return F.avg_pool2d(pictures, 2)


def disturb(pictures: torch.Tensor) -> torch.Tensor:
    """Flips, mild colour changes, blur and noise: what differs between artists and in soft samples."""
    count, device = len(pictures), pictures.device
    flip = torch.rand(count, 1, 1, 1, device=device) < 0.5
    pictures = torch.where(flip, pictures.flip(-1), pictures)
    gray = pictures.mean(1, keepdim=True)
    saturation = torch.empty(count, 1, 1, 1, device=device).uniform_(0.7, 1.3)
    gain = torch.empty(count, 3, 1, 1, device=device).uniform_(0.85, 1.15)
    pictures = (gray + (pictures - gray) * saturation) * gain
    soft = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    mix = torch.rand(count, 1, 1, 1, device=device) ** 2
    return pictures * (1 - mix) + soft * mix + 0.05 * torch.randn_like(pictures)


def nearest_colour(picture: np.ndarray) -> str:
    """The named colour of a picture's background: the nearest to the median of its border.

    picture is uint8 [H, W, 3]; the border is 3 pixels wide.
    """
    border = np.concatenate([
        picture[:3].reshape(-1, 3), picture[-3:].reshape(-1, 3),
        picture[:, :3].reshape(-1, 3), picture[:, -3:].reshape(-1, 3),
    ])
    middle = np.median(border, axis=0)
    return min(COLOURS, key=lambda name: float(np.sum((np.asarray(COLOURS[name]) - middle) ** 2)))
