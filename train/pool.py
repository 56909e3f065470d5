"""A pool of encoded scenes for the denoiser.

Encoding each batch afresh would cost a quarter of the training time on a CPU; a fixed set of
latents would be learnt by heart. The pool does neither: every batch replaces a few of its rows.
"""

import numpy as np
import torch

from autoencoder import Autoencoder
from captions import Captioner
from scenes import Painter, Scene, to_tensor_range


class LatentPool:
    """`size` scenes with their scaled latents; fills itself when made (about 20 ms a row on two cores)."""

    def __init__(self, autoencoder: Autoencoder, scale: float, painter: Painter, size: int, refresh: int):
        self.autoencoder = autoencoder.eval()
        self.scale = scale
        self.painter = painter
        self.captioner = Captioner(painter.sprites)
        self.refresh = refresh
        self.device = next(autoencoder.parameters()).device
        self.rng = np.random.default_rng()
        self.scenes: list[Scene] = []
        self.latents = torch.empty(0, 4, 16, 16, device=self.device)
        self._fill(size)

    def _fill(self, size: int) -> None:
        # Every sprite equally often, in an order that mixes them.
        order = self.rng.permutation(size) % len(self.painter.sprites)
        rows = [self._encode(order[i : i + 64].tolist()) for i in range(0, size, 64)]
        self.scenes = [scene for scenes, _ in rows for scene in scenes]
        self.latents = torch.cat([latents for _, latents in rows])

    @torch.no_grad()
    def _encode(self, sprites: list[int]) -> tuple[list[Scene], torch.Tensor]:
        scenes = [self.painter.draw(self.rng, sprite) for sprite in sprites]
        pictures = to_tensor_range(np.stack([self.painter.paint(scene) for scene in scenes]))
        # In full precision also where the denoiser's step is in bfloat16.
        with torch.autocast(self.device.type, enabled=False):
            mean, _ = self.autoencoder.posterior(torch.from_numpy(pictures).to(self.device))
        return scenes, mean * self.scale

    def batch(self, count: int, drop: float, rng: np.random.Generator) -> tuple[torch.Tensor, list[str]]:
        """Scaled latents [count, 4, 16, 16] and captions, a share `drop` of them empty (for guidance)."""
        self._replace()
        rows = rng.integers(0, len(self.scenes), count)
        texts = [
            "" if rng.random() < drop else self.captioner.caption(self.scenes[row], rng) for row in rows
        ]
        return self.latents[torch.from_numpy(rows).to(self.device)], texts

    def _replace(self) -> None:
        if not self.refresh:
            return
        rows = self.rng.choice(len(self.scenes), self.refresh, replace=False)
        sprites = self.rng.integers(0, len(self.painter.sprites), self.refresh).tolist()
        scenes, latents = self._encode(sprites)
        for row, scene in zip(rows, scenes):
            self.scenes[row] = scene
        self.latents[torch.from_numpy(rows).to(self.device)] = latents
