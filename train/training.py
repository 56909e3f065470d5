"""The training loop all models share: time budget, learning rate, averages, checkpoints, log."""

import copy
import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn


def work_seconds(device: str) -> float:
    """A clock of work done: on CPUs processor time over threads, else wall time.

    Processor time stands still while the process is stopped and runs slowly on a busy machine, so
    a stage of 60 minutes does the same work wherever it runs.
    """
    return time.process_time() / torch.get_num_threads() if device == "cpu" else time.monotonic()


@dataclass(frozen=True)
class Options:
    """How one stage is trained."""

    minutes: float  # of work, see work_seconds
    rate: float  # peak learning rate
    device: str = "cpu"
    ema: float = 0.999
    warmup: int = 100  # steps
    hold: float = 0.4  # share of the time before the cosine decay begins
    decay: float = 1e-4  # weight decay
    bf16: bool = False
    save_minutes: float = 5.0
    log_steps: int = 50


@dataclass
class Progress:
    """What has been done; part of every checkpoint."""

    step: int = 0
    seconds: float = 0.0
    averages: dict[str, float] = field(default_factory=dict)

    def record(self, metrics: dict[str, float]) -> None:
        """Takes a step's metrics into averages over about the last 100 steps."""
        for name, value in metrics.items():
            weight = max(0.01, 1 / (self.step + 1))
            self.averages[name] = self.averages.get(name, value) * (1 - weight) + value * weight


Loss = Callable[[nn.Module, np.random.Generator], tuple[torch.Tensor, dict[str, float]]]


class Interrupted(Exception):
    """Training was asked to stop (SIGTERM or SIGINT) and has saved its state."""


class Trainer:
    """Trains one module and keeps its checkpoint and log in a folder.

    An average of the weights (EMA) is what is handed on. With `fresh` weights the average forgets
    the first steps quickly; with trained ones it starts from them.
    """

    def __init__(self, module: nn.Module, folder: Path, options: Options, fresh: bool):
        self.options = options
        self.folder = folder
        self.fresh = fresh
        self.module = module.to(options.device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.module).requires_grad_(False)
        self.trained = [p for p in self.module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained, lr=options.rate, betas=(0.9, 0.99), weight_decay=options.decay
        )
        self.progress = Progress()
        self.rng = np.random.default_rng(0)
        self._stop = False

    @property
    def finished(self) -> bool:
        """Whether the time is used up."""
        return self.progress.seconds >= 60 * self.options.minutes

    def run(self, loss: Loss, publish: Callable[[nn.Module], None]) -> None:
        """Trains until the time is used up; publish gets the averaged module at every checkpoint.

        Raises Interrupted after saving when the process is told to end.
        """
        handlers = {s: signal.signal(s, self._ask_to_stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._loop(loss, publish)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if self._stop:
            raise Interrupted(f"stopped at step {self.progress.step}; resume goes on from there")

    def _ask_to_stop(self, *_: object) -> None:
        self._stop = True

    def _loop(self, loss: Loss, publish: Callable[[nn.Module], None]) -> None:
        saved = self.progress.seconds
        while not self.finished and not self._stop:
            began = work_seconds(self.options.device)
            self._step(loss)
            self.progress.seconds += work_seconds(self.options.device) - began
            if self.progress.step % self.options.log_steps == 0:
                self._log()
            if self.progress.seconds - saved > 60 * self.options.save_minutes:
                self.save()
                publish(self.average)
                saved = self.progress.seconds
        self._log()
        self.save()
        publish(self.average)

    def _step(self, loss: Loss) -> None:
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self._precision():
            value, metrics = loss(self.module, self.rng)
        if not math.isfinite(value.item()):
            raise FloatingPointError(f"loss is {value.item()} at step {self.progress.step}: lower the rate")
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self._update_average()
        self.progress.record(metrics)
        self.progress.step += 1

    def _precision(self) -> AbstractContextManager:
        device = self.options.device.partition(":")[0]
        return torch.autocast(device, torch.bfloat16, enabled=self.options.bf16)

    def _rate(self) -> float:
        """Linear warm-up, constant, cosine decay to a hundredth."""
        options = self.options
        warm = min(1.0, (self.progress.step + 1) / options.warmup)
        done = self.progress.seconds / (60 * options.minutes)
        falling = max(0.0, (done - options.hold) / (1 - options.hold))
        return options.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, falling))))

    def _update_average(self) -> None:
        step = self.progress.step
        decay = min(self.options.ema, (step + 1) / (step + 10)) if self.fresh else self.options.ema
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.module.parameters()):
                mean.lerp_(value, 1 - decay)

    def _log(self) -> None:
        progress = self.progress
        figures = "  ".join(f"{name} {value:.5f}" for name, value in progress.averages.items())
        minutes = progress.seconds / 60
        done = f"step {progress.step}  {minutes:.1f} of {self.options.minutes:g} min"
        now = time.strftime("%d %H:%M")
        print(f"{now}  {self.folder.name}  {done}  {figures}  rate {self._rate():.2e}", flush=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "loss.csv").open("a") as file:
            values = ",".join(f"{value:.6f}" for value in progress.averages.values())
            file.write(f"{progress.step},{minutes:.2f},{values}\n")

    def save(self) -> None:
        """Writes the checkpoint; a crash while writing leaves the one before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial, path = self.folder / "checkpoint.tmp", self.folder / "checkpoint.pt"
        torch.save({
            "module": self.module.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": vars(self.progress),
            "numpy": self.rng.bit_generator.state,
            "torch": torch.get_rng_state(),
        }, partial)
        os.replace(partial, path)

    def resume(self) -> bool:
        """Goes on from the folder's checkpoint if it has one."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.options.device, weights_only=False)
        self.module.load_state_dict(state["module"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])
        self.rng.bit_generator.state = state["numpy"]
        torch.set_rng_state(state["torch"].cpu())
        return True
