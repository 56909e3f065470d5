"""Sentences for scenes. The plain form `[a] THING [on a COLOUR background][, STYLE style]` is the
most frequent one; the others keep the text encoder from depending on one wording."""

import numpy as np

from scenes import Scene
from sprites import Sprites

BACKGROUNDS = (
    " on a {} background",
    " on {}",
    ", {} background",
    " with a {} background",
    " in front of a {} wall",
)
STYLES = (", {} style", " in {} style", ", {}")
OPENINGS = ("a picture of ", "an emoji of ", "a drawing of ", "an icon of ")
BETWEEN = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "over", "on top of"),
    "below": ("below", "under", "beneath"),
}


class Captioner:
    """Writes captions for scenes of the given sprites."""

    def __init__(self, sprites: Sprites):
        self.sprites = sprites

    def caption(self, scene: Scene, rng: np.random.Generator) -> str:
        """One of the many captions of a scene, at random; never empty."""
        text = self._things(scene, rng)
        if rng.random() < 0.15:
            text = _pick(OPENINGS, rng) + text
        # White is what a picture has when nothing is said, so it is mostly left unsaid.
        if rng.random() < (0.4 if scene.colour == "white" else 0.92):
            text += _mostly_first(BACKGROUNDS, rng).format(scene.colour)
        if rng.random() < 0.6:
            text += _mostly_first(STYLES, rng).format(self.sprites.styles[scene.items[0].sprite])
        return text

    def _things(self, scene: Scene, rng: np.random.Generator) -> str:
        names = [self._name(item.sprite, rng) for item in scene.items]
        if len(names) == 2:
            between = _mostly_first(BETWEEN[scene.relation], rng)
            return f"{with_article(names[0])} {between} {with_article(names[1])}"
        if scene.items[0].size < 80:
            return with_article(f"small {names[0]}")
        return names[0] if rng.random() < 0.35 else with_article(names[0])

    def _name(self, sprite: int, rng: np.random.Generator) -> str:
        return _mostly_first(self.sprites.words[sprite], rng)


def with_article(noun: str) -> str:
    """"a" or "an" before a noun, by its first letter."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _mostly_first(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[0] if rng.random() < 0.75 else _pick(choices, rng)
