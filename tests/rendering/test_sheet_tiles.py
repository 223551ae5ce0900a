"""Rulers say the truth: what stands at a number is what the eye has there."""

from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.frame import Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.rendering.sheet_tiles import (
    LEFT,
    PAPER,
    TOP,
    Mark,
    below,
    beside,
    colour_of,
    cropped,
    matte_lines,
    matte_picture,
    ruled,
    ticks,
    worded,
)


class Eye:
    """A picture whose red is the column and whose green is the row, in 1/256 of it."""

    def __init__(self, width, height):
        self._size = width, height
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
        self._pixels = np.stack([x / 256, y / 256, 0 * x], axis=-1)

    @property
    def width(self):
        return self._size[0]

    @property
    def height(self):
        return self._size[1]

    def region(self, rect, shrink=1):
        """As an eye of a clip: blocks from the rectangle's corner, averaged."""
        part = self._pixels[rect.slices]
        rows, columns = -(-part.shape[0] // shrink), -(-part.shape[1] // shrink)
        part = np.pad(part, ((0, rows * shrink - part.shape[0]), (0, columns * shrink - part.shape[1]), (0, 0)), mode="edge")
        return part.reshape(rows, shrink, columns, shrink, 3).mean(axis=(1, 3))


@pytest.mark.parametrize(
    ("rect", "size"),
    [
        (Rect(10, 20, 110, 120), (200, 200)), (Rect(30, 40, 70, 120), (60, 120)), (Rect(0, 0, 256, 200), (64, 50)),
        (Rect(-50, -20, 150, 180), (100, 100)), (Rect(150, 100, 350, 300), (133, 133)),
    ],
)  # fmt: skip
def test_what_is_shown_at_a_place_is_what_the_eye_has_there(rect, size):
    """To a pixel of the sheet, for parts that are larger, smaller and beyond the eye."""
    shown = cropped(cast(EyeImage, Eye(256, 200)), rect, size)
    assert shown.shape == (size[1], size[0], 3)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    # the ruler's own mapping: a linear one from the rectangle's corners
    at_x, at_y = rect.x0 + x * rect.width / size[0], rect.y0 + y * rect.height / size[1]
    step = max(1.0, rect.width / size[0])
    inside = (at_x > 2 * step) & (at_x < 256 - 2 * step) & (at_y > 2 * step) & (at_y < 200 - 2 * step)
    assert inside.sum() > 0.1 * inside.size
    assert np.abs(shown[..., 0] * 256 - at_x)[inside].max() <= 1.01 * step
    assert np.abs(shown[..., 1] * 256 - at_y)[inside].max() <= 1.01 * step
    outside = (at_x < -step) | (at_x > 256 + step) | (at_y < -step) | (at_y > 200 + step)
    assert (shown[outside] == np.float32(PAPER)).all()


@given(first=st.floats(-5000, 5000), span=st.floats(1, 9000), width=st.integers(150, 700))
def test_a_ruler_has_round_numbers_with_room_for_their_digits(first, span, width):
    scale = width / span
    numbers = ticks(first, first + span, scale)
    assert all(first <= n <= first + span for n in numbers)
    if len(numbers) > 1:
        step = numbers[1] - numbers[0]
        assert {b - a for a, b in pairwise(numbers)} == {step} and all(n % step == 0 for n in numbers)
        assert str(step).rstrip("0") in ("1", "2", "5", "") and step * scale >= 50
    # there is a number in every ruler that is long enough for one
    assert numbers or span * scale < 4 * 52 or span < 2


def test_a_tick_stands_where_its_number_says():
    rect, size = Rect(100, 200, 200, 300), (300, 300)
    picture = np.zeros((300, 300, 3), np.float32)
    sheet = ruled(picture, rect)
    numbers = ticks(100, 200, 3.0)
    row = sheet[TOP + 2, LEFT:, 0]
    assert sorted({*np.flatnonzero(row > 150)}) == [min(299, (n - 100) * 3) for n in numbers if (n - 100) * 3 < 300]
    column = sheet[TOP:, LEFT + 2, 0]
    assert [*np.flatnonzero(column[:300] > 150)] == [(n - 200) * 3 for n in ticks(200, 300, 3.0) if (n - 200) * 3 < 300]
    # a box from (130, 230) to (160, 290), in its colour
    boxed = ruled(picture, rect, [Mark((130.0, 230.0, 160.0, 290.0), (1.0, 0.0, 0.0), strong=False)])
    red = np.argwhere((boxed[TOP : TOP + 300, LEFT:, 0] == 255) & (boxed[TOP : TOP + 300, LEFT:, 1] == 0))
    assert [*red.min(axis=0), *red.max(axis=0)] == [90, 90, 270, 180]
    assert size == (300, 300)


def test_a_matte_is_white_and_those_of_others_are_dim():
    one = Layer(1, "a", Rect(10, 10, 30, 50), np.full((40, 20), 0.75, np.float16), np.ones((40, 20), np.float16))
    other = Layer(2, "b", Rect(30, 10, 60, 50), np.ones((40, 30), np.float16), np.ones((40, 30), np.float16))
    shown = matte_picture(ViewMatte(100, 100, (one, other)), 1, Rect(-10, 0, 70, 60), (80, 60))
    assert np.allclose(shown[12:48, 22:38], 0.75) and np.allclose(shown[12:48, 42:68], 0.5 * np.array(colour_of(2)), atol=1e-3)
    assert not shown[:, :18].any() and not shown[52:].any()


@pytest.mark.parametrize("zoom", [3, 0.5])
def test_the_outline_of_each_matte_lies_where_it_is_half_there(zoom):
    """A ramp from nothing to all between two columns is half there in their middle, on the sheet's pixels; specks have no line."""
    ramp = np.tile(np.clip((np.arange(40) + 0.5 - 10) / 20, 0, 1).astype(np.float16), (40, 1))
    one = Layer(1, "a", Rect(20, 10, 60, 50), ramp, np.ones((40, 40), np.float16))
    speck = Layer(2, "b", Rect(5, 5, 6, 6), np.ones((1, 1), np.float16), np.ones((1, 1), np.float16))
    rect, size = Rect(0, 0, 80, 60), (round(80 * zoom), round(60 * zoom))
    ((points, colour),) = matte_lines(ViewMatte(100, 100, (one, speck)), rect, size)
    assert colour == colour_of(1)
    # the left border in the ramp's middle, the right one and the lower one at the layer's ends
    assert points[:, 0].min() == pytest.approx(40 * zoom, abs=1) and points[:, 0].max() == pytest.approx(60 * zoom, abs=1)
    assert points[:, 1].min() == pytest.approx(10 * zoom, abs=1) and points[:, 1].max() == pytest.approx(50 * zoom, abs=1)
    drawn = ruled(np.zeros((size[1], size[0], 3), np.float32), rect, lines=[(points, colour)])[TOP:, LEFT:].max(axis=-1)
    rows = drawn[round(20 * zoom) : round(40 * zoom)]
    assert rows[:, round(40 * zoom) - 2 : round(40 * zoom) + 3].max(axis=1).min() > 150
    assert not rows[:, round(44 * zoom) : round(56 * zoom)].any()


def test_words_are_broken_and_foreign_ones_are_spelled():
    wide = worded([("frame " * 60, (1, 1, 1))], 400)
    assert wide.shape[1] == 400 and wide.shape[0] > 8 + 18 * 5
    assert worded([("\u65e5\u672c.mp4", (1, 1, 1))], 400).shape == (26, 400, 3)
    a, b = np.zeros((5, 7, 3), np.uint8), np.zeros((9, 3, 3), np.uint8)
    assert beside([a, b]).shape == (9, 16, 3) and below([a, b]).shape == (20, 7, 3)
