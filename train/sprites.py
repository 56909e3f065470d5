"""Emoji rendered to pixels once, kept as one array on disk."""

import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

import packages

SIZE = 112  # pixels; a picture is 128, so a sprite at full size leaves a border of 8

CONCEPTS = Path(__file__).with_name("concepts.txt")

# Icons that are no single thing one can name: left out of the wide world.
NO_THING = re.compile(
    r"^(man|woman|person|men|women|people|girl|boy) |keycap|button|oclock|thirty|japanese|squared"
    r"|input|hand |heavy |negative|medium |small |large "
)


@dataclass(frozen=True)
class Sprites:
    """Rendered icons, row by row.

    rgba is uint8 [N, 112, 112, 4] (a memory map, straight alpha); words[i] are the names captions
    may use for row i, the first the canonical one; styles[i] is the package's style.
    """

    rgba: np.ndarray
    words: list[tuple[str, ...]]
    styles: list[str]

    def __len__(self) -> int:
        return len(self.words)


def concepts(path: Path = CONCEPTS) -> dict[str, tuple[str, ...]]:
    """The narrow world: icon name to its words (see the head of concepts.txt)."""
    table = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, words = line.partition("=")
            name = name.strip()
            table[name] = tuple(w.strip() for w in words.split("|")) if words else (plain(name),)
    return table


def plain(name: str) -> str:
    """An icon's name as words."""
    return name.replace("-", " ")


def load(data: Path, wanted: tuple[packages.Package, ...], world: str = "narrow") -> Sprites:
    """The sprites of the wanted packages, rendered on first use.

    world "narrow" keeps the things of concepts.txt, "loose" also icons named by another of their
    words or without dashes (drawings that differ more: good for a judge), "wide" every icon that
    is a single thing.
    """
    if world not in ("narrow", "loose", "wide"):
        raise ValueError(f"world {world!r}: use narrow, loose or wide")
    table = concepts()
    if world == "loose":
        table = _loosened(table)
    arrays, words, styles = [], [], []
    for package in wanted:
        rgba, names = _rendered(data, package)
        rows = [i for i, name in enumerate(names) if _kept(name, table, world)]
        arrays.append(rgba[rows])
        words += [table.get(names[i], (plain(names[i]),)) for i in rows]
        styles += [package.style] * len(rows)
    return Sprites(np.concatenate(arrays), words, styles)


def _loosened(table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    loose = dict(table)
    for name, words in table.items():
        for other in (name.replace("-", ""), *(word.replace(" ", "-") for word in words)):
            loose.setdefault(other, words)
    return loose


def _kept(name: str, table: dict[str, tuple[str, ...]], world: str) -> bool:
    return name in table or (world == "wide" and not NO_THING.search(plain(name)))


def _rendered(data: Path, package: packages.Package) -> tuple[np.ndarray, list[str]]:
    """One package's (rgba, icon names), from the cache or rendered now."""
    folder = data / "sprites"
    stem = package.archive.removesuffix(".tgz")
    pixels, names = folder / f"{stem}.npy", folder / f"{stem}.json"
    if not names.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _render_all(packages.icons(packages.fetch(package, data / "npm")))
        np.save(pixels, np.stack(list(drawn.values())))
        # The names are written last and at once: their presence says that the pixels are complete.
        partial = names.with_suffix(".tmp")
        partial.write_text(json.dumps(list(drawn)))
        os.replace(partial, names)
    return np.load(pixels, mmap_mode="r"), json.loads(names.read_text())


def _render_all(documents: dict[str, str]) -> dict[str, np.ndarray]:
    drawn, failed = {}, []
    for name, svg in documents.items():
        try:
            rgba = render(svg)
        except ValueError:
            failed.append(name)
            continue
        if (rgba[..., 3] > 0).mean() >= 0.05:  # a few icons are empty without their font
            drawn[name] = rgba
    if failed:
        print(f"sprites: {len(failed)} icons could not be rendered, the first is {failed[0]}", flush=True)
    return drawn


def render(svg: str) -> np.ndarray:
    """An SVG document as uint8 [112, 112, 4], straight alpha."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, skip_system_fonts=True)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    return np.asarray(image if image.size == (SIZE, SIZE) else image.resize((SIZE, SIZE)))
