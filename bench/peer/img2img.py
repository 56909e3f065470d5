"""Holds `ldx run --init` against diffusers' schedulers, driven as StableDiffusionImg2ImgPipeline does, on the same files.

The picture goes through PIL (Lanczos where its size differs), the latent is drawn from the VAE encoder's posterior, then
the noise, from one generator. One line a case: the largest difference of any latent, relative to the latent's own size
where that is above 1, and of any pixel. Exit status 1: a case is over the tolerances of trace_samplers.py. A picture of
another size (--side) is: resampled values differ by a rounding. --save writes pipeline/testdata/img2img.npz: the
picture's PNG file and all latents of one run.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

import program
from diffusers_run import Reference
from trace_samplers import LATENT_TOLERANCE, PIXEL_TOLERANCE, WITH_ETA, differences, guided, scheduler_of

# Three are left out, for in diffusers they go wrong from a picture: plms and pndm count their calls from the first one
# and not from where the run starts, so that they step to levels that are not those of their timesteps; lms takes
# coefficients for as many outputs as there would be, had the run begun at the first step. In ldx all three start afresh.
SAMPLERS = ["ddim", "ddpm", "euler", "euler-a", "heun", "dpm2", "dpm2-a", "dpm++2m", "dpm++3m", "dpm++2m-sde", "dpm++2s",
            "dpm++3s", "unipc", "deis"]


def drawing(size: int) -> Image.Image:
    """A picture with edges, gradients and colours."""
    y, x = np.mgrid[0:size, 0:size] / size
    inside = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.1
    rgb = np.stack([np.where(inside, 0.9, x), np.where(inside, 0.7 * y, y), np.where(inside, 0.1, 1 - x)], -1)
    return Image.fromarray(np.round(rgb * 255).astype(np.uint8))


def latents(reference: Reference, encoder: onnxruntime.InferenceSession, name: str, picture: Path, a, strength: float) -> Iterator[np.ndarray]:
    _, _, height, width = reference.latent
    rgb = Image.open(picture).convert("RGB").resize((8 * width, 8 * height), Image.Resampling.LANCZOS)
    x = (2 * (np.asarray(rgb, np.float32) / 255) - 1).transpose(2, 0, 1)[None]
    mean, logvar = np.split(encoder.run(None, {encoder.get_inputs()[0].name: x})[0], 2, 1)
    generator = torch.Generator("cpu").manual_seed(a.seed)
    deviation = torch.exp(0.5 * torch.clamp(torch.from_numpy(logvar), -30, 20))
    x0 = (torch.from_numpy(mean) + deviation * torch.randn(mean.shape, generator=generator)) * float(reference.scaling)
    noise = torch.randn(mean.shape, generator=generator)

    scheduler = scheduler_of(reference, name, a.steps, None)
    first = max(a.steps - min(int(a.steps * strength), a.steps), 0) * scheduler.order
    timesteps = scheduler.timesteps[first:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    x = scheduler.add_noise(x0, noise, timesteps[:1])
    states = np.concatenate([reference.embed(""), reference.embed(a.prompt)])
    extra = {"generator": generator} if "generator" in scheduler.step.__code__.co_varnames else {}
    if name in WITH_ETA:
        extra["eta"] = a.eta
    yield x.numpy()
    for t in timesteps:
        eps = guided(reference, scheduler.scale_model_input(x, t).numpy(), float(t + 1e-3), states, a.guidance)
        x = scheduler.step(torch.from_numpy(eps), t, x, **extra).prev_sample
        yield x.numpy()


def compare(binary: Path, theirs: np.ndarray, picture: Path, name: str, strength: float, a, reference: Reference, work: Path):
    return differences(
        binary, reference, lambda: theirs, work, model=a.model, threads=a.threads, sampler=name, steps=a.steps,
        prompt=a.prompt, seed=a.seed, guidance=a.guidance, eta=a.eta if name in WITH_ETA else 0, init=picture, strength=strength,
    )


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, default=program.MODEL, help="model folder (default the embedded one's)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prompt", default="a red apple")
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--guidance", type=float, default=3.0)
    p.add_argument("--eta", type=float, default=0.5, help="for the samplers that have one")
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--strength", type=float, nargs="+", default=[0.3, 0.6, 1.0])
    p.add_argument("--side", type=int, nargs="+", default=[128], help="the picture's size in pixels")
    p.add_argument("--sampler", nargs="+", default=SAMPLERS)
    p.add_argument("--save", action="store_true", help="write the test's case and nothing else")
    a = p.parse_args()
    reference = Reference(a.model, a.threads)
    encoder = onnxruntime.InferenceSession(a.model / "vae_encoder" / "model.onnx", providers=["CPUExecutionProvider"])
    over, found = 0, []
    print(f"{'sampler':<14}{'side':>6}{'strength':>9}{'|dx|':>10}{'pixels':>8}")
    with tempfile.TemporaryDirectory(prefix="ldx-img2img-") as folder:
        work = Path(folder)
        if a.save:
            picture = work / "drawing.png"
            drawing(128).save(picture)
            x = np.concatenate(list(latents(reference, encoder, "ddim", picture, a, 0.6)))
            to = program.REPOSITORY / "pipeline" / "testdata" / "img2img.npz"
            np.savez(to, picture=np.frombuffer(picture.read_bytes(), np.uint8), x=x)
            return 0
        binary = program.build(work)
        for side in a.side:
            picture = work / f"{side}.png"
            drawing(side).save(picture)
            for name in a.sampler:
                for strength in a.strength:
                    theirs = np.concatenate(list(latents(reference, encoder, name, picture, a, strength)))
                    got = compare(binary, theirs, picture, name, strength, a, reference, work)
                    line = f"{name:<14}{side:>6}{strength:>9g}"
                    if isinstance(got, str):
                        over += 1
                        print(f"{line}  {got}", flush=True)
                        continue
                    late = got[0] > LATENT_TOLERANCE or got[1] > PIXEL_TOLERANCE
                    over += late
                    found.append(got)
                    print(f"{line}{got[0]:10.1e}{got[1]:8d}{' OVER' if late else ''}", flush=True)
    worst, pixels = (max(column, default=0) for column in zip(*found)) if found else (0, 0)
    print(f"\n{len(a.side) * len(a.sampler) * len(a.strength)} cases, {over} over; largest |dx| {worst:.1e}, pixels {pixels}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
