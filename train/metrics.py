"""What evaluate.py measures, on uint8 pictures [N, H, W, 3]."""

from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

import weights
from judge import Judge, Words, shrink
from scenes import to_tensor_range


def psnr(wanted: np.ndarray, got: np.ndarray) -> float:
    """Mean over pictures of the peak signal-to-noise ratio in dB."""
    error = ((wanted.astype(np.float64) - got) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(error, 1e-6))).mean())


def ssim(wanted: np.ndarray, got: np.ndarray) -> float:
    """Mean structural similarity (Wang et al. 2004: Gaussian window of 1.5 pixels), per channel."""

    def blurred(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, (0, 1.5, 1.5, 0), truncate=3.5)

    a, b = wanted.astype(np.float64), got.astype(np.float64)
    ma, mb = blurred(a), blurred(b)
    va, vb, ab = blurred(a * a) - ma**2, blurred(b * b) - mb**2, blurred(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * ma * mb + c1) * (2 * ab + c2)
    return float((top / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


class Retrieval:
    """The frozen judge with a list of candidate names."""

    def __init__(self, folder: Path, names: list[str]):
        words = Words.load(folder / "words.json")
        self.judge = Judge(len(words))
        weights.load(self.judge, folder / "judge.safetensors")
        self.judge.eval()
        self.names = names
        with torch.no_grad():
            self._texts = self.judge.embed_names(words.ids(names)).numpy()

    @torch.no_grad()
    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Unit vectors float32 [N, 128] of 128x128 pictures."""
        planes = shrink(torch.from_numpy(to_tensor_range(pictures)))
        return np.concatenate([self.judge.embed_pictures(part).numpy() for part in planes.split(64)])

    def ranks(self, pictures: np.ndarray, wanted: list[str], among: int = 100) -> np.ndarray:
        """The place (0 is best) of each picture's own name among that many: its own and others at random."""
        scores = self.embed(pictures) @ self._texts.T
        rng = np.random.default_rng(0)
        places = []
        for row, name in zip(scores, wanted):
            own = self.names.index(name)
            others = rng.permutation(np.delete(np.arange(len(self.names)), own))[: among - 1]
            places.append(int((row[others] > row[own]).sum()))
        return np.array(places)


def halves(picture: np.ndarray, relation: str) -> tuple[np.ndarray, np.ndarray]:
    """The two 64x64 places (first, second thing) of a composition, each doubled to 128x128."""
    middle, low, high = slice(32, 96), slice(0, 64), slice(64, 128)
    first = {"left of": (middle, low), "right of": (middle, high), "above": (low, middle), "below": (high, middle)}
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    cuts = (picture[first[relation]], picture[first[opposite[relation]]])
    return tuple(cut.repeat(2, axis=0).repeat(2, axis=1) for cut in cuts)


def spread(embedded: np.ndarray) -> float:
    """Mean cosine distance between the seeds of a prompt: embedded is [prompts, seeds, 128]."""
    seeds = embedded.shape[1]
    cosine = np.einsum("pid,pjd->pij", embedded, embedded)
    return float(1 - cosine[:, ~np.eye(seeds, dtype=bool)].mean())


def nearest(embedded: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The cosine of each row's nearest neighbour in reference."""
    return (embedded @ reference.T).max(axis=1)
