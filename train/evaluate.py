"""Scores exported model folders and adds a row each to RESULTS.md.

    python evaluate.py MODEL_FOLDER [--name NAME] [--sheet FILE.png]
"""

import argparse
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

import metrics
import packages
import sprites
from captions import with_article
from judge import nearest_colour
from onnxmodel import OnnxModel
from scenes import COLOURS, RELATIONS, Mixture, Painter, held_back

RESULTS = Path(__file__).with_name("RESULTS.md")
# The columns of RESULTS.md and how each is written.
DECIMALS = {
    "PSNR dB": "{:.2f}", "SSIM": "{:.4f}", "PSNR pairs": "{:.2f}", "background %": "{:.1f}", "top-1 %": "{:.1f}",
    "top-5 %": "{:.1f}", "composition %": "{:.1f}", "spread": "{:.3f}", "nearest": "{:.3f}",
}
SEEDS = 4


def prompts(names: list[str], count: int) -> list[tuple[str, str]]:
    """The first `count` held-back (thing, colour) pairs in the order of their checksums."""
    pairs = [(n, c) for n in names for c in COLOURS if held_back(n, c)]
    return sorted(pairs, key=lambda p: zlib.crc32(f"{p[0]}, {p[1]}".encode()))[:count]


def compositions(names: list[str], count: int) -> list[tuple[str, str, str]]:
    """(first thing, relation, second thing), at random but always the same."""
    rng = np.random.default_rng(7)
    chosen = []
    for _ in range(count):
        first, second = rng.choice(names, 2, replace=False)
        chosen.append((str(first), str(rng.choice(list(RELATIONS))), str(second)))
    return chosen


class Evaluation:
    """The fixed questions, and the real pictures to compare with."""

    def __init__(self, data: Path, count: int):
        self.things = sprites.load(data, packages.GENERATOR)
        self.names = sorted({words[0] for words in self.things.words})
        self.judge = metrics.Retrieval(data / "judge", self.names)
        self.pairs = prompts(self.names, count)
        self.compositions = compositions(self.names, count // 2)
        self.plain = self._painted(Mixture(), 400)
        self.real = self.judge.embed(self._each())

    def _painted(self, mixture: Mixture, count: int) -> np.ndarray:
        painter, rng = Painter(self.things, mixture), np.random.default_rng(1)
        return np.stack([painter.paint(painter.draw(rng)) for _ in range(count)])

    def _each(self) -> np.ndarray:
        painter, rng = Painter(self.things), np.random.default_rng(2)
        return np.stack([painter.paint(painter.draw(rng, i)) for i in range(len(self.things))])

    def score(self, model: OnnxModel, guidance: float) -> tuple[dict[str, float], np.ndarray]:
        """All figures of a model, and its samples of the first 64 prompts by 4 seeds."""
        figures = self._reconstruction(model)
        print(f"reconstruction: {figures['PSNR dB']:.2f} dB, SSIM {figures['SSIM']:.4f}", flush=True)
        texts = [f"{with_article(thing)} on a {colour} background" for thing, colour in self.pairs]
        pictures = sample(model, texts, 0, guidance)
        figures["background %"] = self._background(pictures)
        ranks = self.judge.ranks(pictures, [thing for thing, _ in self.pairs])
        print(f"background: {figures['background %']:.1f} % right", flush=True)
        figures |= {"top-1 %": 100 * (ranks == 0).mean(), "top-5 %": 100 * (ranks < 5).mean()}
        figures["composition %"] = self._composition(model, guidance)
        shown = texts[:64]
        seeds = np.stack([pictures[: len(shown)]] + [
            sample(model, shown, 1000 * s, guidance) for s in range(1, SEEDS)
        ], axis=1)
        embedded = self.judge.embed(seeds.reshape(-1, *seeds.shape[2:])).reshape(*seeds.shape[:2], -1)
        figures["spread"] = metrics.spread(embedded)
        figures["nearest"] = float(metrics.nearest(embedded[:, 0], self.real).mean())
        return figures, seeds

    def _reconstruction(self, model: OnnxModel) -> dict[str, float]:
        figures = {}
        got = batched(model.reconstruct, self.plain)
        figures["PSNR dB"], figures["SSIM"] = metrics.psnr(self.plain, got), metrics.ssim(self.plain, got)
        two = self._painted(Mixture(pairs=1), 200)
        figures["PSNR pairs"] = metrics.psnr(two, batched(model.reconstruct, two))
        return figures

    def _background(self, pictures: np.ndarray) -> float:
        right = [nearest_colour(p) == colour for p, (_, colour) in zip(pictures, self.pairs)]
        return 100 * float(np.mean(right))

    def _composition(self, model: OnnxModel, guidance: float) -> float:
        texts = [f"{with_article(a)} {r} {with_article(b)}" for a, r, b in self.compositions]
        return self.composed(sample(model, texts, 5000, guidance), self.compositions)

    def composed(self, pictures: np.ndarray, wanted: list[tuple[str, str, str]]) -> float:
        """The share in % with each thing's name among the 5 likeliest of 100 for its own place."""
        cuts = [metrics.halves(p, relation) for p, (_, relation, _) in zip(pictures, wanted)]
        first = self.judge.ranks(np.stack([c[0] for c in cuts]), [w[0] for w in wanted])
        second = self.judge.ranks(np.stack([c[1] for c in cuts]), [w[2] for w in wanted])
        return 100 * float(((first < 5) & (second < 5)).mean())

    def ceiling(self) -> dict[str, float]:
        """The same figures for the real pictures: what the judge can see at all."""
        ranks = self.judge.ranks(self._each(), [words[0] for words in self.things.words])
        painter, rng = Painter(self.things, Mixture(pairs=1)), np.random.default_rng(3)
        scenes = [painter.draw(rng) for _ in range(len(self.compositions))]
        wanted = [(*(self.things.words[i.sprite][0] for i in s.items), s.relation) for s in scenes]
        pictures = np.stack([painter.paint(s) for s in scenes])
        by_name: dict[str, list[np.ndarray]] = {}
        for row, words in zip(self.real, self.things.words):
            by_name.setdefault(words[0], []).append(row)
        four = np.stack([rows[:SEEDS] for rows in by_name.values() if len(rows) >= SEEDS])
        return {
            "top-1 %": 100 * (ranks == 0).mean(), "top-5 %": 100 * (ranks < 5).mean(),
            "composition %": self.composed(pictures, [(a, r, b) for a, b, r in wanted]),
            "spread": metrics.spread(four),
        }


def sample(model: OnnxModel, texts: list[str], seed: int, guidance: float) -> np.ndarray:
    """One sample a text with seeds counting up from `seed`."""
    parts = [
        model.sample(texts[i : i + 10], [seed + j for j in range(i, min(i + 10, len(texts)))], guidance=guidance)
        for i in range(0, len(texts), 10)
    ]
    return np.concatenate(parts)


def batched(function: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray) -> np.ndarray:
    """Applies function to 20 pictures at a time."""
    return np.concatenate([function(pictures[i : i + 20]) for i in range(0, len(pictures), 20)])


def sheet(seeds: np.ndarray, texts: list[str], path: Path) -> None:
    """Writes a contact sheet: prompts by seeds, uint8 [prompts, seeds, H, W, 3], four prompts a row."""
    count, across, height, width = seeds.shape[:4]
    columns, label = 4, 14
    rows = -(-count // columns)
    image = Image.new("RGB", (columns * (across * width + 8), rows * (height + label)), "white")
    draw = ImageDraw.Draw(image)
    for i in range(count):
        x, y = i % columns * (across * width + 8), i // columns * (height + label)
        image.paste(Image.fromarray(np.concatenate(seeds[i], axis=1)), (x, y))
        draw.text((x + 2, y + height), texts[i], fill="black")
    image.save(path)


def add_row(name: str, figures: dict[str, float]) -> None:
    """Appends a row to the table at the end of RESULTS.md."""
    cells = [DECIMALS[c].format(figures[c]) if c in figures else "" for c in DECIMALS]
    with RESULTS.open("a") as file:
        file.write(f"| {name} | " + " | ".join(cells) + " |\n")


def main() -> None:
    """Parses the command line and scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="a model folder; without one the real pictures are scored")
    parser.add_argument("--name", help="the row's name (default: the folder's and today's date)")
    parser.add_argument("--data", type=Path, default=Path("~/.cache/ldx-train"))
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet: 64 prompts, 4 seeds each")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    evaluation = Evaluation(args.data.expanduser(), args.prompts)
    if args.model is None:
        figures, name = evaluation.ceiling(), args.name or "the training pictures themselves"
    else:
        model = OnnxModel(args.model, args.threads)
        figures, seeds = evaluation.score(model, args.guidance)
        name = args.name or f"{args.model.name} {time.strftime('%Y-%m-%d')}"
        if args.sheet:
            sheet(seeds, [f"{thing}, {colour}" for thing, colour in evaluation.pairs[:64]], args.sheet)
    for key, value in figures.items():
        print(f"{key:15} {value:.3f}")
    add_row(name, figures)


if __name__ == "__main__":
    main()
