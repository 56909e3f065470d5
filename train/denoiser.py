"""The text-conditioned noise predictor: a CLIP-style text encoder and a U-Net, trained together."""

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from autoencoder import LATENTS
from tokens import LENGTH

WIDTH = 128  # of the text encoder's states and so of cross-attention
TIMESTEPS = 1000
BETAS = (0.00085, 0.012)  # scaled linear, as Stable Diffusion's


class Denoiser(nn.Module):
    """Predicts the noise in scaled latents from the picture's caption."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.text = CLIPTextModel(CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            hidden_act="quick_gelu",
            bos_token_id=vocabulary - 2,
            eos_token_id=vocabulary - 1,
            pad_token_id=vocabulary - 1,
        ))
        self.unet = UNet2DConditionModel(
            sample_size=16,
            in_channels=LATENTS,
            out_channels=LATENTS,
            block_out_channels=(64, 128, 192),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            mid_block_type="UNetMidBlock2DCrossAttn",
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=WIDTH,
            attention_head_dim=4,  # the number of heads: diffusers' name for it is historical
            norm_num_groups=16,
        )

    def forward(self, latents: torch.Tensor, timesteps: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """latents [B, 4, h, w], timesteps [B] and token ids [B, 24] to noise [B, 4, h, w]."""
        states = self.text(ids).last_hidden_state
        return self.unet(latents, timesteps, states).sample


def alphas_cumprod() -> torch.Tensor:
    """alpha-bar of every timestep, float32 [1000]."""
    low, high = BETAS
    betas = torch.linspace(low**0.5, high**0.5, TIMESTEPS) ** 2
    return torch.cumprod(1 - betas, 0)


def diffusion_loss(
    model: Denoiser, latents: torch.Tensor, ids: torch.Tensor, alphas: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise-prediction loss of scaled latents [B, 4, h, w] at random timesteps.

    Returns the loss with min-SNR weights, gamma 5 (Hang et al. 2023), and the plain mean square.
    """
    timesteps = torch.randint(0, TIMESTEPS, (len(latents),), device=latents.device)
    noise = torch.randn_like(latents)
    alpha = alphas[timesteps].view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    square = ((model(noisy, timesteps, ids).float() - noise) ** 2).mean((1, 2, 3))
    snr = (alpha / (1 - alpha)).flatten()
    return (snr.clamp(max=5) / snr * square).mean(), square.mean().detach()
