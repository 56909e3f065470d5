"""Trains the default model: a queue of stages in one process, which can be stopped at any time.

    python run.py --minutes 5                  a (bad) model from nothing
    python run.py --start FILE --scale S       go on from the starting model's weights
    python run.py --resume                     go on where the last run stopped
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

import stages
import tokens
import weights
from scenes import Mixture
from stages import Stage
from training import Interrupted, Options

PLAIN = Mixture()
SOME = Mixture(pairs=0.1, sizes=0.1)
MANY = Mixture(pairs=0.3, sizes=0.1)

# A model from nothing; the shares of --minutes.
SCRATCH = (
    (0.45, Stage("autoencoder", "autoencoder", Options(0, 1e-3, ema=0.998), batch=16)),
    (0.55, Stage("denoiser", "denoiser", Options(0, 8e-4, ema=0.998, decay=1e-2, hold=0.3), mixture=PLAIN, batch=48)),
)

# From the starting model: first what makes every later figure better or measurable, then the
# denoiser in ever longer stages, each annealed, so that there is a good model at each one's end.
QUEUE = (
    Stage("judge", "judge", Options(12, 2e-3, ema=0.998, decay=5e-2, hold=0.2), "narrow", Mixture(sizes=0.3), 64),
    Stage("decoder-1", "decoder", Options(30, 5e-4, hold=0.2)),
    Stage("denoiser-1", "denoiser", Options(45, 4e-4, decay=1e-2), mixture=PLAIN, batch=48),
    Stage("judge-2", "judge", Options(45, 1e-3, ema=0.998, decay=5e-2, hold=0.2), "loose", Mixture(sizes=0.3), 64),
    Stage("denoiser-2", "denoiser", Options(180, 5e-4, decay=1e-2), mixture=PLAIN, batch=48),
    Stage("decoder-2", "decoder", Options(90, 4e-4, hold=0.2)),
    Stage("denoiser-3", "denoiser", Options(360, 4e-4, decay=1e-2), mixture=SOME, batch=48),
    Stage("denoiser-4", "denoiser", Options(720, 4e-4, decay=1e-2), mixture=MANY, batch=48),
    Stage("denoiser-5", "denoiser", Options(1440, 3e-4, decay=1e-2), "wide", MANY, batch=48),
)


def main() -> None:
    """Parses the command line and works the queue off."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    data: Path = args.data.expanduser()
    started = (data / "stages").exists()
    if started and not args.resume:
        sys.exit(f"{data} holds a run: add --resume to go on with it, or name another folder with --data")
    data.mkdir(parents=True, exist_ok=True)
    (data / "pid").write_text(f"{os.getpid()}\n")
    if args.start and not (data / "weights" / "denoiser.safetensors").exists():
        weights.import_start(args.start, args.scale, data / "weights")
        tokens.copy(args.tokenizer, data / "weights" / "tokenizer")
    for stage in _queue(args):
        print(f"stage {stage.name}: {stage.kind}, {stage.options.minutes:g} min", flush=True)
        try:
            stages.run(stage, data)
        except Interrupted as stop:
            sys.exit(f"stage {stage.name}: {stop}")
    print("queue done", flush=True)


def _queue(args: argparse.Namespace) -> list[Stage]:
    if args.minutes:
        queue = [replace(s, options=replace(s.options, minutes=share * args.minutes)) for share, s in SCRATCH]
    else:
        queue = list(QUEUE)
    wanted = [s for s in queue if not args.only or s.name in args.only]
    if not wanted:
        sys.exit(f"--only {' '.join(args.only)}: the stages are {', '.join(s.name for s in queue)}")
    return [replace(s, options=_adapted(s, args)) for s in wanted]


def _adapted(stage: Stage, args: argparse.Namespace) -> Options:
    # Reconstruction needs more than bfloat16's 8 bits; noise prediction does not.
    return replace(stage.options, device=args.device, bf16=args.bf16 and stage.kind == "denoiser")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("~/.cache/ldx-train"),
                        help="folder for packages, sprites, checkpoints and weights (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=0, help="train from nothing for so long in all")
    parser.add_argument("--resume", action="store_true", help="go on with the folder's run")
    parser.add_argument("--start", type=Path, help="the starting model's weights (safetensors)")
    parser.add_argument("--scale", type=float, default=0.6782885193824768,
                        help="the starting model's latent scaling factor (default %(default)s)")
    parser.add_argument("--tokenizer", type=Path, help="the starting model's tokenizer folder")
    parser.add_argument("--only", nargs="*", help="only these stages")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--bf16", action="store_true", help="the denoiser's matrix products in bfloat16")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    args = parser.parse_args()
    if args.start and not args.tokenizer:
        parser.error("--start needs --tokenizer: the weights fit one vocabulary only")
    return args


if __name__ == "__main__":
    main()
