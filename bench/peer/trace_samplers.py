"""Holds every sampler of `ldx run --trace` against diffusers' scheduler, on the same ONNX files.

One line a case: the largest difference of any latent, relative to the latent's own size where that is above 1, and
of any pixel. The tolerance is the model card's, three times it for samplers that call the denoiser more than once a
step or draw noise at each. CompVis's own samplers are held against their formulas. Exit status 1: a case is over.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import diffusers
import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file

import program
from diffusers_run import Reference

LATENT_TOLERANCE = 1e-3
PIXEL_TOLERANCE = 2
NEARLY = 0.0

# name: class, what the name fixes, what step takes beside eta's place, and whether it may be off by three times
SAMPLERS = {
    "ddim": ("DDIM", {}, False),
    "ddpm": ("DDPM", {}, True),
    "plms": ("PNDM", {"skip_prk_steps": True}, True),
    "pndm": ("PNDM", {"skip_prk_steps": False}, True),
    "euler": ("EulerDiscrete", {}, False),
    "euler-a": ("EulerAncestralDiscrete", {}, True),
    "heun": ("HeunDiscrete", {}, True),
    "lms": ("LMSDiscrete", {}, False),
    "dpm2": ("KDPM2Discrete", {}, True),
    "dpm2-a": ("KDPM2AncestralDiscrete", {}, True),
    "dpm++2m": ("DPMSolverMultistep", {"algorithm_type": "dpmsolver++", "solver_order": 2}, False),
    "dpm++3m": ("DPMSolverMultistep", {"algorithm_type": "dpmsolver++", "solver_order": 3}, False),
    "dpm++2m-sde": ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}, True),
    "dpm++3m-sde": ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, True),
    "dpm++2s": ("DPMSolverSinglestep", {"algorithm_type": "dpmsolver++", "solver_order": 2}, False),
    "dpm++3s": ("DPMSolverSinglestep", {"algorithm_type": "dpmsolver++", "solver_order": 3}, False),
    "unipc": ("UniPCMultistep", {}, False),
    "deis": ("DEISMultistep", {}, False),
    "lcm": ("LCM", {}, True),
    "tcd": ("TCD", {}, True),
    "ldm-ddim": (None, {}, True),
    "ldm-plms": (None, {}, True),
}
WITH_ETA = {"ddim", "tcd"}
SIGMAS = {"karras", "exponential", "beta"}
TAKES_SIGMAS = {"euler", "heun", "lms", "dpm2", "dpm2-a", "dpm++2m", "dpm++3m", "dpm++2m-sde", "dpm++2s", "unipc", "deis"}


def guided(reference: Reference, x: np.ndarray, t: float, states: np.ndarray, guidance: float) -> np.ndarray:
    # The graph takes whole timesteps. torch's cast drops what is behind the point, so that a t of 100.99998, whole but
    # for its float32 logarithms, becomes 100: with --nearly it is 101, as in ldx.
    outputs = reference.predict(x, int(t + NEARLY), states)
    eps_uncond, eps_cond = outputs[:1], outputs[-1:]
    return eps_uncond + np.float32(guidance) * (eps_cond - eps_uncond)


def scheduler_of(reference: Reference, name: str, steps: int, sigmas: str | None):
    kind, fixed, _ = SAMPLERS[name]
    over = dict(fixed)
    if sigmas:
        over[f"use_{sigmas}_sigmas"] = True
    scheduler = getattr(diffusers, kind + "Scheduler").from_config(reference.scheduler.config, **over)
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # a first timestep that is there twice would be looked up as the second
    return scheduler


def diffusers_latents(reference: Reference, name: str, steps: int, sigmas: str | None, a) -> Iterator[np.ndarray]:
    scheduler = scheduler_of(reference, name, steps, sigmas)
    generator = torch.Generator("cpu").manual_seed(a.seed)
    x = torch.randn(reference.latent, generator=generator) * scheduler.init_noise_sigma
    states = np.concatenate([reference.embed(""), reference.embed(a.prompt)])
    accepted = scheduler.step.__code__.co_varnames
    extra = {"generator": generator} if "generator" in accepted else {}
    if name in WITH_ETA:
        extra["eta"] = a.eta
    yield x.numpy()
    for t in scheduler.timesteps:
        model_input = scheduler.scale_model_input(x, t)
        eps = guided(reference, model_input.numpy(), float(t), states, a.guidance)
        x = scheduler.step(torch.from_numpy(eps), t, x, **extra).prev_sample
        yield x.numpy()


def compvis_latents(reference: Reference, name: str, steps: int, a) -> Iterator[np.ndarray]:
    """ldm/models/diffusion/{ddim,plms}.py: tables in float64, one list of timesteps, noise drawn even at eta 0."""
    c = reference.scheduler.config
    betas = np.linspace(c.beta_start**0.5, c.beta_end**0.5, c.num_train_timesteps, dtype=np.float64) ** 2
    bars = np.cumprod(1 - betas).astype(np.float32)
    timesteps = np.arange(0, 1000, 1000 // steps) + 1
    timesteps = np.minimum(timesteps, 999)
    at = bars[timesteps]
    before = np.concatenate([bars[:1], bars[timesteps[:-1]]]).astype(np.float64)
    eta = a.eta if name == "ldm-ddim" else 0.0
    sigma = eta * np.sqrt((1 - before) / (1 - at) * (1 - at / before))
    generator = torch.Generator("cpu").manual_seed(a.seed)
    x = torch.randn(reference.latent, generator=generator)
    states = np.concatenate([reference.embed(""), reference.embed(a.prompt)])

    def move(x: torch.Tensor, e: torch.Tensor, i: int, noise: torch.Tensor) -> torch.Tensor:
        bar, prev, s = (torch.tensor(float(v)) for v in (at[i], before[i], sigma[i]))
        x0 = (x - torch.tensor(float(np.sqrt(1.0 - at[i]))) * e) / bar.sqrt()
        return prev.sqrt() * x0 + (1 - prev - s**2).sqrt() * e + s * noise

    def model(x: torch.Tensor, t: int) -> torch.Tensor:
        return torch.from_numpy(guided(reference, x.numpy(), t, states, a.guidance))

    yield x.numpy()
    old: list[torch.Tensor] = []
    nothing = torch.zeros(reference.latent)
    for i in range(len(timesteps) - 1, -1, -1):
        e = model(x, timesteps[i])
        if name == "ldm-ddim":
            x = move(x, e, i, torch.randn(reference.latent, generator=generator))
            yield x.numpy()
            continue
        if not old:
            ahead = move(x, e, i, nothing)
            yield ahead.numpy()
            mixed = (e + model(ahead, timesteps[max(i - 1, 0)])) / 2
        elif len(old) == 1:
            mixed = (3 * e - old[-1]) / 2
        elif len(old) == 2:
            mixed = (23 * e - 16 * old[-1] + 5 * old[-2]) / 12
        else:
            mixed = (55 * e - 59 * old[-1] + 37 * old[-2] - 9 * old[-3]) / 24
        x = move(x, mixed, i, nothing)
        old = [*old, e][-3:]
        yield x.numpy()


def differences(binary: Path, reference: Reference, reference_run: Callable[[], np.ndarray], work: Path, **flags: object):
    """The largest relative difference of a latent of `ldx run` with flags from the
    reference's, and the largest of a pixel; an
    error text where ldx refuses."""
    trace, output = work / "trace.safetensors", work / "out.png"
    command = program.run_command(binary, trace=trace, output=output, **flags)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip()
    ours, theirs = load_file(trace)["x"], reference_run()
    if ours.shape != theirs.shape:
        return f"{len(ours)} latents, the reference has {len(theirs)}"
    scale = np.maximum(1, np.abs(theirs).reshape(len(theirs), -1).max(1))
    difference = np.abs(ours.astype(np.float64) - theirs).reshape(len(theirs), -1).max(1) / scale
    pixels = np.abs(np.asarray(Image.open(output).convert("RGB")).astype(int) - reference.decode(theirs[-1:])).max()
    return float(np.nan_to_num(difference, nan=np.inf).max()), int(pixels)


def compare(binary: Path, reference: Reference, name: str, steps: int, sigmas: str | None, a, work: Path):
    eta = a.eta if name in WITH_ETA or name == "ldm-ddim" else 0

    def latents() -> np.ndarray:
        if SAMPLERS[name][0] is None:
            return np.concatenate(list(compvis_latents(reference, name, steps, a)))
        return np.concatenate(list(diffusers_latents(reference, name, steps, sigmas, a)))

    return differences(
        binary, reference, latents, work, model=a.model, threads=a.threads, sampler=name, steps=steps,
        sigmas=sigmas, prompt=a.prompt, seed=a.seed, guidance=a.guidance, eta=eta,
    )


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, default=program.MODEL, help="model folder (default the embedded one's)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prompt", default="a red apple")
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--guidance", type=float, default=3.0)
    p.add_argument("--eta", type=float, default=0.5, help="for the samplers that have one")
    p.add_argument("--steps", type=int, nargs="+", default=[5, 10, 20, 50])
    p.add_argument("--sampler", nargs="+", default=list(SAMPLERS))
    p.add_argument("--sigmas", nargs="*", default=[], help="karras, exponential, beta: beside the sampler's own")
    p.add_argument("--nearly", action="store_true", help="take a timestep just below a whole one for that one")
    a = p.parse_args()
    global NEARLY
    NEARLY = 1e-3 if a.nearly else 0.0
    reference = Reference(a.model, a.threads)
    over = cases = 0
    worst, worst_pixels = 0.0, 0
    print(f"{'sampler':<14}{'sigmas':<13}{'steps':>6}{'|dx|':>10}{'pixels':>8}")
    with tempfile.TemporaryDirectory(prefix="ldx-traces-") as work:
        binary = program.build(Path(work))
        for name in a.sampler:
            for sigmas in [None, *(s for s in a.sigmas if name in TAKES_SIGMAS)]:
                for steps in a.steps:
                    found = compare(binary, reference, name, steps, sigmas, a, Path(work))
                    cases += 1
                    line = f"{name:<14}{sigmas or '':<13}{steps:>6}"
                    if isinstance(found, str):
                        over += 1
                        print(f"{line}  {found}", flush=True)
                        continue
                    factor = 3 if SAMPLERS[name][2] else 1
                    late = found[0] > factor * LATENT_TOLERANCE or found[1] > factor * PIXEL_TOLERANCE
                    over += late
                    worst, worst_pixels = max(worst, found[0]), max(worst_pixels, found[1])
                    print(f"{line}{found[0]:10.1e}{found[1]:8d}{' OVER' if late else ''}", flush=True)
    print(f"\n{cases} cases, {over} over the tolerances; largest |dx| {worst:.1e}, pixels {worst_pixels}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
