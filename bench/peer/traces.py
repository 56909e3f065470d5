"""Holds `ldx run --trace` against the Python reference: every latent, prediction and pixel.

Each case is one run by both on the same model files. The tolerances are the model card's: the reference itself
does not move, so what is left is ldx's own arithmetic. Exit status 1: a case is over them.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

import program
from diffusers_run import Reference, Settings

LATENT_TOLERANCE = 1e-3
PIXEL_TOLERANCE = 2
PREDICTIONS = ("x0", "eps", "eps_cond", "eps_uncond")


@dataclass(frozen=True)
class Comparison:
    """Largest differences of one case; noise and timesteps say whether those are identical."""

    x: float
    predictions: float
    sigmas: float
    pixels: int
    noise: bool
    timesteps: bool

    @property
    def within(self) -> bool:
        close = max(self.x, self.predictions, self.sigmas) <= LATENT_TOLERANCE and self.pixels <= PIXEL_TOLERANCE
        return close and self.noise and self.timesteps


def largest(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference; infinite where the shapes differ or a value is not a number."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.nan_to_num(np.abs(ours.astype(np.float64) - theirs), nan=np.inf).max())


def run_ldx(binary: Path, a: argparse.Namespace, s: Settings, work: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    trace, output = work / "trace.safetensors", work / "out.png"
    settings = vars(s)
    command = program.run_command(binary, model=a.model, threads=a.threads, trace=trace, output=output, **settings)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return load_file(trace), np.asarray(Image.open(output).convert("RGB"))


def compare(binary: Path, reference: Reference, a: argparse.Namespace, s: Settings, work: Path) -> Comparison:
    trace, ours = run_ldx(binary, a, s, work)
    calls = list(reference.calls(s))
    x = np.concatenate([calls[0].x, *(c.next_x for c in calls)])
    worst = (largest(trace[name], np.concatenate([getattr(c, name) for c in calls])) for name in PREDICTIONS)
    return Comparison(
        x=largest(trace["x"], x),
        predictions=max(worst),
        sigmas=largest(trace["sigmas"], np.array([c.sigma for c in calls])),
        pixels=int(min(largest(ours.astype(int), reference.decode(x[-1:]).astype(int)), 255)),
        noise=trace["x"][0].tobytes() == x[0].tobytes(),
        timesteps=trace["timesteps"].tolist() == [c.timestep for c in calls],
    )


def cases(a: argparse.Namespace) -> list[Settings]:
    grid = itertools.product(a.prompt, a.seed, a.spacing, a.steps, a.guidance, a.eta)
    return [
        Settings(prompt, a.negative, steps, guidance, eta, seed, spacing)
        for prompt, seed, spacing, steps, guidance, eta in grid
    ]


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=Path, default=program.MODEL, help="model folder (default the embedded one's)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prompt", nargs="+", default=["a red apple"])
    p.add_argument("--negative", default="")
    p.add_argument("--seed", type=int, nargs="+", default=[42])
    p.add_argument("--spacing", nargs="+", default=["leading", "trailing", "linspace"])
    p.add_argument("--steps", type=int, nargs="+", default=[10, 20, 50, 100])
    p.add_argument("--guidance", type=float, nargs="+", default=[1.0, 3.0, 7.5])
    p.add_argument("--eta", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    return p.parse_args()


def main() -> int:
    a = arguments()
    reference = Reference(a.model, a.threads)
    todo = cases(a)
    found = []
    print(f"{'prompt':<28}{'seed':>6}{'steps':>6}{'g':>5}{'eta':>5} {'spacing':<10}", end="")
    print(f"{'max |dx|':>10}{'|d pred|':>10}{'|d sigma|':>10}{'pixels':>7}  x_T")
    with tempfile.TemporaryDirectory(prefix="ldx-traces-") as work:
        binary = program.build(Path(work))
        for s in todo:
            c = compare(binary, reference, a, s, Path(work))
            found.append(c)
            print(f"{s.prompt[:27]:<28}{s.seed:>6}{s.steps:>6}{s.guidance:>5g}{s.eta:>5g} {s.spacing:<10}", end="")
            print(f"{c.x:10.1e}{c.predictions:10.1e}{c.sigmas:10.1e}{c.pixels:7d}", end="")
            print("  identical" if c.noise else "  DIFFERS", "" if c.within else " OVER", sep="", flush=True)
    over = sum(not c.within for c in found)
    print(
        f"\n{len(found)} cases, {over} over the tolerances ({LATENT_TOLERANCE:g}, {PIXEL_TOLERANCE} of 255); ", end=""
    )
    print(f"largest |dx| {max(c.x for c in found):.1e}, pixels {max(c.pixels for c in found)}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
