"""Times `ldx run` against Python on the same model files, prompt, seed and steps.

Each contender is a cold process that ends with a PNG on disk. They take turns, so that whatever else the machine
does hits all alike, and the first round, which warms the disk cache, does not count. Exit status 1: the pictures
differ.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

import program

HERE = Path(__file__).resolve().parent
TOLERANCE = 2  # of 255, at every pixel
BUDGETS = {"diffusers": 0.25, "numpy": 0.8}
PACKAGES = ("onnxruntime", "numpy", "diffusers", "torch", "transformers")


@dataclass
class Contender:
    """A command that writes output, and what its counted runs took, in seconds."""

    name: str
    command: list[str]
    output: Path
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self) -> tuple[float, float]:
        """One run's wall time and its processes' CPU time."""
        before, start = children_cpu(), time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True)
        took, cpu = time.perf_counter() - start, children_cpu() - before
        if done.returncode != 0:
            raise SystemExit(f"{self.name} ended with status {done.returncode}: {done.stderr.strip()}")
        return took, cpu


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write_noise(path: Path, model: Path, seed: int) -> None:
    """The start noise for the contender that has no torch."""
    import torch

    vae = json.loads((model / "vae_decoder" / "config.json").read_text())
    side = json.loads((model / "unet" / "config.json").read_text())["sample_size"]
    generator = torch.Generator("cpu").manual_seed(seed)
    np.save(path, torch.randn((1, vae["latent_channels"], side, side), generator=generator).numpy())


def contenders(a: argparse.Namespace, work: Path) -> list[Contender]:
    noise = work / "noise.npy"
    write_noise(noise, a.model, a.seed)
    flags = {"model": a.model, "prompt": a.prompt, "steps": a.steps, "guidance": a.guidance, "threads": a.threads}

    def script(name: str, **more: object) -> Contender:
        output = work / f"{name}.png"
        given = {**flags, **more, "output": output}.items()
        command = [sys.executable, str(HERE / f"{name}_run.py"), *(f"--{k}={v}" for k, v in given)]
        return Contender(name, command, output)

    output = work / "ldx.png"
    model = None if a.model.samefile(program.MODEL) else a.model  # what is embedded is that folder
    ldx = program.run_command(program.build(work), **{**flags, "model": model}, seed=a.seed, output=output)
    peers = {"numpy": {"noise": noise}, "diffusers": {"seed": a.seed}}
    return [Contender("ldx", ldx, output), *(script(name, **peers[name]) for name in a.peers)]


def race(runners: list[Contender], rounds: int) -> None:
    """Run all in turn, one round more than counts."""
    for i in range(rounds + 1):
        for c in runners:
            wall, cpu = c.run()
            if i > 0:
                c.wall.append(wall)
                c.cpu.append(cpu)
        print(f"\rround {i} of {rounds}", end="", file=sys.stderr)
    print("\r" + " " * 24 + "\r", end="", file=sys.stderr)


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def largest_difference(runners: list[Contender]) -> int:
    """The largest difference of a pixel between ldx's picture and any peer's, of 255."""
    ours, *others = (picture(c.output) for c in runners)
    for other in others:
        if other.shape != ours.shape:
            raise SystemExit(f"pictures have shapes {ours.shape} and {other.shape}, want the same")
    return max(int(np.abs(ours - other).max()) for other in others)


@dataclass(frozen=True)
class Ratio:
    """ldx's time over a peer's: of the medians, and the least and most of any one round."""

    peer: str
    median: float
    least: float
    most: float
    budget: float

    @property
    def verdict(self) -> str:
        if self.median <= self.budget:
            return "met"
        return f"missed by {100 * (self.median / self.budget - 1):.0f} %"


def ratios(runners: list[Contender]) -> list[Ratio]:
    ours, *others = runners
    found = []
    for c in others:
        each = [a / b for a, b in zip(ours.wall, c.wall, strict=True)]
        overall = statistics.median(ours.wall) / statistics.median(c.wall)
        found.append(Ratio(c.name, overall, min(each), max(each), BUDGETS[c.name]))
    return found


def machine(a: argparse.Namespace) -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    packages = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return f"{name}, {a.threads} threads each, {platform.system()}, Python {platform.python_version()}, {packages}"


def show(runners: list[Contender], found: list[Ratio], a: argparse.Namespace, difference: int) -> None:
    print(machine(a))
    print(f"{a.prompt!r}, {a.steps} steps, guidance {a.guidance}, seed {a.seed}; {a.rounds} rounds\n")
    print(f"{'cold start to file':<20}{'median':>9}{'least':>9}{'most':>9}{'cpu':>9}")
    for c in runners:
        median, cpu = statistics.median(c.wall), statistics.median(c.cpu)
        print(f"{c.name:<20}{median:8.3f}s{min(c.wall):8.3f}s{max(c.wall):8.3f}s{cpu:8.3f}s")
    print(f"\n{'ldx over':<20}{'ratio':>9}{'least':>9}{'most':>9}{'budget':>9}")
    for r in found:
        print(f"{r.peer:<20}{r.median:9.3f}{r.least:9.3f}{r.most:9.3f}{r.budget:9.2f}  {r.verdict}")
    print(f"\npictures differ by at most {difference} of 255, {TOLERANCE} allowed")


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--rounds", type=int, default=10, help="rounds that count")
    p.add_argument("--model", type=Path, default=program.MODEL, help="model folder (default the embedded one's)")
    p.add_argument("--peers", nargs="+", choices=list(BUDGETS), default=list(BUDGETS))
    p.add_argument("--prompt", default="a red apple")
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--guidance", type=float, default=3.0)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--threads", type=int, default=2, help="threads for each contender")
    p.add_argument("--json", action="store_true", help="print every measurement as JSON instead of the table")
    a = p.parse_args()
    if a.rounds < 1:
        p.error(f"--rounds is {a.rounds}, want at least 1")
    return a


def main() -> int:
    a = arguments()
    with tempfile.TemporaryDirectory(prefix="ldx-bench-") as work:
        runners = contenders(a, Path(work))
        race(runners, a.rounds)
        difference = largest_difference(runners)
    found = ratios(runners)
    if a.json:
        times = {c.name: {"wall_s": c.wall, "cpu_s": c.cpu} for c in runners}
        report = {"machine": machine(a), "difference": difference, "times": times, "ratios": [asdict(r) for r in found]}
        print(json.dumps(report, indent=2))
    else:
        show(runners, found, a, difference)
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
