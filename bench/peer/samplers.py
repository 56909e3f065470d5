"""Times a sampler's step in ldx against the same formulas in numpy.

    python bench/peer/samplers.py PATH/TO/ref_port.py

ref_port.py is a port of diffusers' samplers to numpy on float32 arrays, step by step, with `plan`, `start` and `step`.
With --diffusers, its own schedulers on torch tensors too. All take the calls in the middle of a run of 20 steps with a latent of 4x128x128, warm, without a model and with
noise drawn beforehand. They take turns, and the fastest round of each counts: what else the machine does only adds
time. Exit status 1: ldx is slower anywhere.
"""

import argparse
import ctypes
import importlib.util
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
STEPS, FIRST, CALLS = 20, 8, 8  # as in bench/samplers_test.go
SHAPE = (4, 128, 128)
CONFIG = {
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False,
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
}  # fmt: skip
F = np.float32
CLASSES: dict[str, tuple[str, dict, dict]] = {
    "ddim": ("DDIM", {}, {}),
    "ddpm": ("DDPM", {}, {}),
    "plms": ("PNDM", {}, {}),
    "pndm": ("PNDM", {}, {}),  # as the config says: skip_prk_steps
    "euler": ("EulerDiscrete", {}, {}),
    "euler-a": ("EulerAncestralDiscrete", {}, {}),
    "heun": ("HeunDiscrete", {}, {}),
    "lms": ("LMSDiscrete", {}, {}),
    "dpm2": ("KDPM2Discrete", {}, {}),
    "dpm2-a": ("KDPM2AncestralDiscrete", {}, {}),
    "dpm++2m": ("DPMSolverMultistep", {}, {}),
    "dpm++3m": ("DPMSolverMultistep", {"solver_order": 3}, {}),
    "dpm++2m-sde": ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++"}, {}),
    "dpm++3m-sde": ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, {}),
    "dpm-2m": ("DPMSolverMultistep", {"algorithm_type": "dpmsolver"}, {}),
    "dpm-3m": ("DPMSolverMultistep", {"algorithm_type": "dpmsolver", "solver_order": 3}, {}),
    "dpm++3s": ("DPMSolverSinglestep", {"solver_order": 3}, {}),
    "dpm++2s": ("DPMSolverSinglestep", {}, {}),
    "unipc": ("UniPCMultistep", {}, {}),
    "deis": ("DEISMultistep", {}, {}),
    "lcm": ("LCM", {}, {}),
    "tcd": ("TCD", {}, {"eta": 0.0}),
}


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("ref_port", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The coefficients of LMS are tables in a plan of ours; as polynomials at every call they would be most of its time.
    slow, known = module.lms_coef, {}

    def lms_coef(sigmas: np.ndarray, *at: int) -> float:
        key = (sigmas.tobytes(), at)
        if key not in known:
            known[key] = slow(sigmas, *at)
        return known[key]

    module.lms_coef = lms_coef
    return module


def keep_memory() -> None:
    """Let malloc keep what is freed: numpy would get its temporaries from the kernel anew at every operation, or not,
    as the heap happens to lie."""
    trim_threshold, mmap_threshold = -1, -3
    for setting in (trim_threshold, mmap_threshold):
        ctypes.CDLL(None).mallopt(setting, 1 << 30)


def arrays(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.standard_normal(SHAPE, dtype=F) for _ in range(n)]


def port_calls(port: ModuleType, name: str, drawn: list[np.ndarray]) -> list[Callable[[], object]]:
    """The calls of a run's middle, each from the state the run has there."""
    cls, keys, settings = CLASSES[name]
    plan = port.plan(cls + "Scheduler", CONFIG | keys, STEPS, **settings)
    state, calls = port.start(plan, drawn[0]), []
    for i in range(FIRST + CALLS):
        output = drawn[i % len(drawn)]
        calls.append(lambda s=state, o=output: port.step(plan, s, o, lambda: drawn[1]))
        state = calls[-1]()
    return calls[FIRST:]


def compvis_calls(name: str, drawn: list[np.ndarray]) -> list[Callable[[], object]]:
    """CompVis's p_sample_ddim and p_sample_plms, eta 0; only the former adds its noise of level 0."""
    a, prev, sigma = F(0.3), F(0.4), F(0)
    x, e, z = drawn[:3]

    def update(e: np.ndarray) -> np.ndarray:
        x0 = (x - np.sqrt(F(1) - a) * e) / np.sqrt(a)
        out = np.sqrt(prev) * x0 + np.sqrt(F(1) - prev - sigma * sigma) * e
        return out + sigma * z if name == "ldm-ddim" else out

    if name == "ldm-ddim":
        return [lambda: update(e)]
    old = drawn[:3]
    return [lambda: update((F(55) * e - F(59) * old[-1] + F(37) * old[-2] - F(9) * old[-3]) / F(24))]


def time_calls(calls: list[Callable[[], object]], seconds: float) -> float:
    """Nanoseconds a call."""
    for call in calls:
        call()
    done, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < seconds:
        for call in calls:
            call()
        done += len(calls)
    return 1e9 * took / done


def time_diffusers(name: str, drawn: list[np.ndarray], seconds: float) -> float | None:
    """Nanoseconds a call of diffusers' own scheduler; nothing for CompVis's samplers."""
    if name not in CLASSES:
        return None
    import diffusers
    import torch

    diffusers.utils.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # as many as the others have
    cls, keys, settings = CLASSES[name]
    scheduler = getattr(diffusers, cls + "Scheduler").from_config(CONFIG | keys | {"final_sigmas_type": "sigma_min"})
    tensors = [torch.from_numpy(d[None]) for d in drawn]
    module = sys.modules[type(scheduler).__module__]
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = lambda *_, **__: tensors[1]
    done, took = 0, 0.0
    while took < seconds:
        scheduler.set_timesteps(STEPS)
        x = tensors[0]
        for i, t in enumerate(scheduler.timesteps[: FIRST + CALLS]):
            scheduler.scale_model_input(x, t)  # not timed, but step warns each time without
            start = time.perf_counter()
            x = scheduler.step(tensors[i % len(tensors)], t, x, **settings).prev_sample
            if i >= FIRST:
                took += time.perf_counter() - start
                done += 1
    return 1e9 * took / done


class Ours:
    """The Go benchmark, built once."""

    def __init__(self, work: Path) -> None:
        self.program = work / "bench.test"
        subprocess.run(["go", "test", "-c", "-o", str(self.program), "bench/samplers_test.go"], cwd=ROOT, check=True)

    def run(self, pattern: str, duration: str) -> dict[str, tuple[float, int, int]]:
        """For each sampler nanoseconds, bytes and allocations a call."""
        flags = ["-test.run=^$", f"-test.bench=^BenchmarkSamplerStep$/{pattern}", f"-test.benchtime={duration}"]
        out = subprocess.run([str(self.program), *flags], cwd=ROOT / "bench", check=True, capture_output=True, text=True).stdout
        line = re.compile(r"^BenchmarkSamplerStep/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*?(\d+) B/op\s+(\d+) allocs/op", re.M)
        return {m[1]: (float(m[2]), int(m[3]), int(m[4])) for m in line.finditer(out)}

    def names(self) -> list[str]:
        return list(self.run(".", "1x"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=Path, help="ref_port.py")
    parser.add_argument("--diffusers", action="store_true", help="time diffusers' schedulers too")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each side in each round")
    a = parser.parse_args()
    keep_memory()
    port, drawn = load(a.port), arrays(4)
    slower = []
    with tempfile.TemporaryDirectory() as work:
        ours = Ours(Path(work))
        print("| sampler | ldx, µs a call | numpy | ratio | of medians | diffusers | kB | allocations |")
        print("|---|---|---|---|---|---|---|---|")
        for name in ours.names():
            if name not in CLASSES and not name.startswith("ldm-"):
                raise SystemExit(f"no numpy formulas for sampler {name}: add it to CLASSES")
            calls = compvis_calls(name, drawn) if name.startswith("ldm-") else port_calls(port, name, drawn)
            go, np_times, peers = [], [], []
            for _ in range(a.rounds):
                go.append(ours.run(f"^{re.escape(name)}$", f"{a.seconds}s")[name])
                np_times.append(time_calls(calls, a.seconds))
                if a.diffusers and (took := time_diffusers(name, drawn, a.seconds)):
                    peers.append(took)
            times = [g[0] for g in go]
            ratio, medians = min(times) / min(np_times), statistics.median(times) / statistics.median(np_times)
            if ratio >= 1:
                slower.append(name)
            peer = f"{min(peers) / 1e3:.0f}" if peers else ""
            print(
                f"| {name} | {min(times) / 1e3:.0f} | {min(np_times) / 1e3:.0f} | {ratio:.2f} | {medians:.2f} "
                f"| {peer} | {go[-1][1] / 1e3:.0f} | {go[-1][2]} |",
                flush=True,
            )
    if slower:
        print(f"slower than numpy: {', '.join(slower)}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
