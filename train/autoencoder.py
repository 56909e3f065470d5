"""The KL autoencoder (Rombach et al. 2022, section 3.1): 128x128 RGB to 4x16x16 latents and back."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

LATENTS = 4  # channels


class ResBlock(nn.Module):
    """Two 3x3 convolutions with a skip; starts as the identity, so blocks can be added later."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x1 = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(x1)))


def _stack(level: str, channels: int, depth: int) -> list[tuple[str, nn.Module]]:
    return [(f"{level}_res{i}", ResBlock(channels)) for i in range(depth)]


class Encoder(nn.Sequential):
    """[B, 3, H, W] in [-1, 1] to [B, 8, H/8, W/8]: mean, then log variance. H, W multiples of 8.

    The levels are named by their size at 128 pixels: a64 is at half resolution.
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128), depths: tuple[int, int, int] = (1, 1, 2)):
        (a, b, c), (da, db, dc) = widths, depths
        super().__init__(OrderedDict([
            ("unshuffle", nn.PixelUnshuffle(2)),
            ("conv_in", nn.Conv2d(12, a, 3, padding=1)),
            *_stack("a64", a, da),
            ("down32", nn.Conv2d(a, b, 3, 2, 1)),
            *_stack("a32", b, db),
            ("down16", nn.Conv2d(b, c, 3, 2, 1)),
            *_stack("a16", c, dc),
            ("norm_out", nn.GroupNorm(8, c)),
            ("act_out", nn.SiLU()),
            ("conv_out", nn.Conv2d(c, 2 * LATENTS, 3, padding=1)),
        ]))


class Decoder(nn.Sequential):
    """[B, 4, h, w] latents (unscaled) to [B, 3, 8h, 8w], about [-1, 1].

    Most of the work happens at 16x16 and 32x32 where it is cheap; the blocks at 64x64 remove the
    grid that a pixel shuffle leaves when the layer before it cannot see its neighbours well.
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 80, 160), depths: tuple[int, int, int] = (3, 3, 3)):
        (a, b, c), (da, db, dc) = widths, depths
        super().__init__(OrderedDict([
            ("conv_in", nn.Conv2d(LATENTS, c, 3, padding=1)),
            *_stack("a16", c, dc),
            ("up32", nn.Upsample(scale_factor=2, mode="nearest")),
            ("conv32", nn.Conv2d(c, b, 3, padding=1)),
            *_stack("a32", b, db),
            ("up64", nn.Upsample(scale_factor=2, mode="nearest")),
            ("conv64", nn.Conv2d(b, a, 3, padding=1)),
            *_stack("a64", a, da),
            ("norm_out", nn.GroupNorm(8, a)),
            ("act_out", nn.SiLU()),
            ("conv_out", nn.Conv2d(a, 12, 3, padding=1)),
            ("shuffle", nn.PixelShuffle(2)),
        ]))


class Autoencoder(nn.Module):
    """Encoder and decoder together."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def posterior(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of the latents, each [B, 4, H/8, W/8]."""
        mean, log_variance = self.encoder(pictures).chunk(2, 1)
        return mean, log_variance.clamp(-20, 10)


def sample(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """A draw from the posterior."""
    return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()


def kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Mean Kullback-Leibler divergence from the standard normal, a latent."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()


def reconstruction_loss(difference: torch.Tensor) -> torch.Tensor:
    """What a reconstruction's error [B, 3, H, W] costs.

    L1 and squares for the colours; L1 of the error's gradients for edges and against blur; L1 of
    the error's 4x4 means because an error that is the same over an area is seen first.
    """
    across = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
    areas = F.avg_pool2d(difference, 4).abs().mean()
    return difference.abs().mean() + 0.5 * (difference**2).mean() + 0.7 * (across + down) + 0.5 * areas
