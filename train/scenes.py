"""Scenes: which sprites stand where on which background. The only source of training pictures."""

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sprites import SIZE as FULL
from sprites import Sprites

PICTURE = 128  # pixels a side

COLOURS = {
    "white": (255, 255, 255),
    "black": (16, 16, 16),
    "red": (220, 50, 47),
    "orange": (243, 145, 32),
    "yellow": (250, 214, 60),
    "green": (64, 176, 92),
    "blue": (52, 120, 220),
    "sky": (150, 205, 250),
    "purple": (142, 84, 200),
    "pink": (250, 160, 190),
    "brown": (130, 88, 60),
    "gray": (150, 150, 150),
    "navy": (24, 36, 84),
}

# Where the centres of the first and the second thing stand, in pixels (x, y).
RELATIONS = {
    "left of": ((35, 64), (93, 64)),
    "right of": ((93, 64), (35, 64)),
    "above": ((64, 35), (64, 93)),
    "below": ((64, 93), (64, 35)),
}


@dataclass(frozen=True)
class Item:
    """One sprite (a row of Sprites) of `size` pixels with its upper left corner at (x, y)."""

    sprite: int
    x: int
    y: int
    size: int


@dataclass(frozen=True)
class Scene:
    """One or two items on a plain background; relation is set where there are two things."""

    items: tuple[Item, ...]
    colour: str
    relation: str = ""


def held_back(word: str, colour: str) -> bool:
    """Whether training never shows this thing on this colour: one pair in eight, never on white.

    Evaluation asks for exactly these pairs. A checksum decides, so that the split is the same in
    every run, whatever the order or number of things.
    """
    return colour != "white" and zlib.crc32(f"{word}|{colour}".encode()) % 8 == 0


@dataclass(frozen=True)
class Mixture:
    """Shares of the kinds of scene; the rest is one thing at full size."""

    pairs: float = 0.0  # two things in a relation
    sizes: float = 0.0  # one small thing, anywhere


class Painter:
    """Draws scenes from sprites and paints them."""

    def __init__(self, sprites: Sprites, mixture: Mixture = Mixture()):
        self.sprites = sprites
        self.mixture = mixture

    def draw(self, rng: np.random.Generator, sprite: int | None = None) -> Scene:
        """A random scene of the mixture, around the given sprite or any."""
        first = int(rng.integers(len(self.sprites))) if sprite is None else sprite
        kind = rng.random()
        if kind < self.mixture.pairs:
            items, relation = self._pair(first, rng)
        elif kind < self.mixture.pairs + self.mixture.sizes:
            items, relation = (self._small(first, rng),), ""
        else:
            items, relation = (self._full(first, rng),), ""
        return Scene(items, self._colour(items, rng), relation)

    def paint(self, scene: Scene) -> np.ndarray:
        """The picture: uint8 [128, 128, 3]."""
        canvas = np.empty((PICTURE, PICTURE, 3), np.float32)
        canvas[:] = COLOURS[scene.colour]
        for item in scene.items:
            rgba = self._scaled(item).astype(np.float32)
            alpha = rgba[..., 3:] / 255
            spot = canvas[item.y : item.y + item.size, item.x : item.x + item.size]
            spot *= 1 - alpha
            spot += rgba[..., :3] * alpha
        return np.rint(canvas).astype(np.uint8)

    def _scaled(self, item: Item) -> np.ndarray:
        rgba = self.sprites.rgba[item.sprite]
        if item.size == FULL:
            return rgba
        return np.asarray(Image.fromarray(rgba).resize((item.size, item.size), Image.Resampling.BOX))

    def _full(self, sprite: int, rng: np.random.Generator) -> Item:
        x, y = rng.integers(1, 8, 2) * 2
        return Item(sprite, int(x), int(y), FULL)

    def _small(self, sprite: int, rng: np.random.Generator) -> Item:
        size = int(rng.integers(44, 73))
        x, y = rng.integers(4, PICTURE - size - 3, 2)
        return Item(sprite, int(x), int(y), size)

    def _pair(self, first: int, rng: np.random.Generator) -> tuple[tuple[Item, Item], str]:
        relation = list(RELATIONS)[rng.integers(len(RELATIONS))]
        second = self._other(first, rng)
        items = []
        for sprite, centre in zip((first, second), RELATIONS[relation]):
            size = int(rng.integers(52, 61))
            x, y = np.asarray(centre) - size // 2 + rng.integers(-3, 4, 2)
            items.append(Item(sprite, int(x), int(y), size))
        return tuple(items), relation

    def _other(self, first: int, rng: np.random.Generator) -> int:
        """A different thing in the same style: two styles in one picture have no name."""
        words, styles = self.sprites.words, self.sprites.styles
        while True:
            other = int(rng.integers(len(words)))
            if styles[other] == styles[first] and words[other][0] != words[first][0]:
                return other

    def _colour(self, items: tuple[Item, ...], rng: np.random.Generator) -> str:
        names = list(COLOURS)
        while True:
            colour = "white" if rng.random() < 0.35 else names[rng.integers(len(names))]
            if not any(held_back(self.sprites.words[i.sprite][0], colour) for i in items):
                return colour


def to_tensor_range(pictures: np.ndarray) -> np.ndarray:
    """uint8 [..., H, W, 3] to float32 [..., 3, H, W] in [-1, 1], as the autoencoder takes them."""
    return np.moveaxis(pictures, -1, -3).astype(np.float32) / 127.5 - 1
