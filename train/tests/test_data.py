"""Scenes, captions and tokens on two made-up sprites: no package is fetched."""

import numpy as np
import pytest

import judge
import scenes
import sprites
import tokens
from captions import Captioner, with_article


@pytest.fixture
def things() -> sprites.Sprites:
    rgba = np.zeros((4, sprites.SIZE, sprites.SIZE, 4), np.uint8)
    rgba[:2, 20:90, 20:90] = (200, 30, 30, 255)
    rgba[2:, 20:90, 20:90] = (30, 30, 200, 255)
    words = [("apple", "fruit"), ("apple", "fruit"), ("owl",), ("owl",)]
    return sprites.Sprites(rgba, words, ["noto", "flat", "noto", "flat"])


def test_every_item_lies_inside_the_picture(things):
    painter, rng = scenes.Painter(things, scenes.Mixture(pairs=0.5, sizes=0.3)), np.random.default_rng(0)
    for _ in range(500):
        for item in painter.draw(rng).items:
            assert item.x >= 0 and item.y >= 0
            assert item.x + item.size <= scenes.PICTURE and item.y + item.size <= scenes.PICTURE


def test_held_back_pairs_are_never_drawn_and_are_an_eighth(things):
    painter, rng = scenes.Painter(things), np.random.default_rng(0)
    for _ in range(500):
        scene = painter.draw(rng)
        assert not scenes.held_back(things.words[scene.items[0].sprite][0], scene.colour)
    pairs = [(str(i), c) for i in range(500) for c in scenes.COLOURS if c != "white"]
    assert np.mean([scenes.held_back(*p) for p in pairs]) == pytest.approx(1 / 8, abs=0.02)


def test_pairs_are_two_things_of_one_style_on_the_sides_they_say(things):
    painter, rng = scenes.Painter(things, scenes.Mixture(pairs=1)), np.random.default_rng(0)
    sides = {"left of": lambda a, b: a.x < b.x, "right of": lambda a, b: a.x > b.x,
             "above": lambda a, b: a.y < b.y, "below": lambda a, b: a.y > b.y}
    for _ in range(200):
        scene = painter.draw(rng)
        first, second = scene.items
        assert sides[scene.relation](first, second)
        assert things.words[first.sprite] != things.words[second.sprite]
        assert things.styles[first.sprite] == things.styles[second.sprite]


def test_painting_keeps_background_and_sprite_colours(things):
    scene = scenes.Scene((scenes.Item(0, 8, 8, sprites.SIZE),), "navy")
    picture = scenes.Painter(things).paint(scene)
    assert picture.shape == (128, 128, 3)
    assert tuple(picture[0, 0]) == scenes.COLOURS["navy"]
    assert tuple(picture[64, 64]) == (200, 30, 30)
    assert judge.nearest_colour(picture) == "navy"


def test_captions_say_what_is_there(things):
    painter, rng = scenes.Painter(things, scenes.Mixture(pairs=0.5)), np.random.default_rng(0)
    captioner = Captioner(things)
    for _ in range(300):
        scene = painter.draw(rng)
        text = captioner.caption(scene, rng)
        for item in scene.items:
            assert any(word in text for word in things.words[item.sprite])
        if scene.colour != "white" and " background" in text:
            assert scene.colour in text


@pytest.mark.parametrize("noun, wanted", [("owl", "an owl"), ("red apple", "a red apple")])
def test_article(noun, wanted):
    assert with_article(noun) == wanted


def test_trained_tokenizer_reads_back_in_clips_format(tmp_path):
    tokens.train(["a red apple on a blue background", "an owl on a red background"] * 5, tmp_path)
    tokenizer = tokens.load(tmp_path)
    ids = tokenizer(["A red  owl"], padding="max_length", truncation=True).input_ids[0]
    start, end = len(tokenizer) - 2, len(tokenizer) - 1
    assert len(ids) == tokens.LENGTH and ids[0] == start and ids[-1] == end
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "a red owl"
    assert len(set(tokenizer("zebra").input_ids)) > 2  # any text has tokens


def test_concepts_have_words_and_no_duplicates():
    table = sprites.concepts()
    assert len(table) > 150
    assert all(word and word == word.strip() for words in table.values() for word in words)
