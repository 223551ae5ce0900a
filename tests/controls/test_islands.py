"""Islands and holes, by areas that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.controls.islands import without_holes, without_islands
from vr180_ofx.controls.lengths import Milliradians, Pixels, area
from vr180_ofx.imaging.parts import connected_parts
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.vr180.projection import Equirectangular, Fisheye

RECT = Rect(0, 0, 80, 60)


@pytest.fixture
def matte():
    alpha = np.zeros((60, 80), np.float32)
    alpha[10:50, 10:50] = 1
    return alpha, np.ones_like(alpha)


def test_islands_go_below_their_area_and_not_above(matte):
    alpha, confidence = matte
    alpha[5:10, 60:65] = 0.5  # covers 12.5 square pixels
    confidence[7, 62] = 0.25
    kept, _ = without_islands(alpha, confidence, RECT, 12.4, Pixels(1))
    gone, trust = without_islands(alpha, confidence, RECT, 12.6, Pixels(1))
    assert np.array_equal(kept, alpha) and gone[5:10, 60:65].max() == 0 and np.array_equal(gone[:, :60], alpha[:, :60])
    assert (trust[5:10, 60:65] == 0.25).all() and trust[30, 30] == 1


def test_holes_are_filled_below_their_area_and_never_what_lies_around(matte):
    alpha, confidence = matte
    alpha[20:24, 20:25] = 0.25  # leaves 15 square pixels
    assert np.array_equal(without_holes(alpha, confidence, RECT, 14.9, Pixels(1))[0], alpha)
    filled, _ = without_holes(alpha, confidence, RECT, 15.1, Pixels(1))
    assert filled[10:50, 10:50].min() == 1 and filled[:, :10].max() == 0
    assert without_holes(alpha, confidence, RECT, 10_000, Pixels(1))[0][0, 0] == 0


def test_what_touches_at_a_corner_is_one_island_and_no_way_out_of_a_hole(matte):
    alpha, confidence = matte
    alpha[9, 9] = 1
    assert without_islands(alpha, confidence, RECT, 5, Pixels(1))[0][9, 9] == 1
    alpha[11, 11] = 0
    alpha[10, 10] = 0
    filled, _ = without_holes(alpha, confidence, RECT, 5, Pixels(1))
    assert filled[11, 11] == 1


def test_a_square_milliradian_is_as_large_as_the_projection_makes_it():
    eye = Equirectangular(3072, 3072)
    alpha = np.zeros((200, 200), np.float32)
    alpha[50:150, 50:150] = 1
    alpha[10:20, 10:20] = 1
    around_equator, at_60 = Rect(1400, 1436, 1600, 1636), Rect(1400, 424, 1600, 624)
    for rect in (around_equator, at_60):
        latitude = math.pi * (0.5 - (rect.y0 + 15) / 3072)
        mrad2 = 100 * (math.pi / 3.072) ** 2 * math.cos(latitude)
        for limit, stays in ((mrad2 * 0.98, True), (mrad2 * 1.02, False)):
            made, _ = without_islands(alpha, np.ones_like(alpha), rect, limit, Milliradians(eye))
            assert (made[15, 15] == 1) == stays


def test_nothing_and_everything_stay():
    for value in (0.0, 1.0):
        alpha = np.full((5, 7), value, np.float32)
        rect = Rect(0, 0, 7, 5)
        assert np.array_equal(without_islands(alpha, alpha, rect, 1, Pixels(1))[0], alpha)
        assert np.array_equal(without_holes(alpha, alpha, rect, 1, Pixels(1))[0], alpha)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95), st.floats(0.1, 60), st.booleans())
def test_each_part_by_itself_is_what_becomes_of_all(seed, share, limit, holes):
    """Against a walk from part to part, on noise: many parts, of one pixel to nearly all, with soft values."""
    random = np.random.default_rng(seed)
    alpha = np.where(random.random((41, 57)) < share, random.random((41, 57)), holes).astype(np.float16).astype(np.float32)
    confidence = random.random(alpha.shape).astype(np.float32)
    mass = 1 - alpha if holes else alpha
    wanted, trust = alpha.copy(), confidence.copy()
    parts = connected_parts(mass > 1 / 510, 4 if holes else 8)
    for k, (x0, y0, x1, y1) in enumerate(parts.boxes.tolist()):
        part = parts.labels == k
        enclosed = x0 > 0 and y0 > 0 and x1 < 57 and y1 < 41
        if mass[part].astype(float).sum() < limit and (enclosed or not holes):
            wanted[part], trust[part] = float(holes), confidence[part].min()
    made = (without_holes if holes else without_islands)(alpha, confidence, Rect(5, 7, 62, 48), limit, Pixels(1))
    assert np.array_equal(made[0], wanted) and np.array_equal(made[1], trust)


def test_what_is_surely_large_is_large_by_the_largest_unit_there_is():
    for eye in (Equirectangular(512, 256), Fisheye(300, 300, 190)):
        lengths = Milliradians(eye)
        areas = [area(lengths.ellipse(x, y)) for x in np.linspace(0, eye.width, 9) for y in np.linspace(0, eye.height, 9)]
        assert max(areas) <= lengths.most_area * (1 + 1e-9)
    assert Pixels(0.5).most_area == pytest.approx(area(Pixels(0.5).ellipse(3, 4)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1, 300), st.floats(0.2, 1), st.booleans())
def test_parts_that_are_looked_at_one_by_one_are_judged_as_all_at_once(seed, limit, scale, sparse):
    """The same as by numbering every pixel and adding up all of them, the slow way."""
    random = np.random.default_rng(seed)
    alpha = np.zeros((70, 90), np.float32)
    for _ in range(random.integers(1, 12)):
        x, y = random.integers(0, 90), random.integers(0, 70)
        value = float(random.choice([1.0, 1.0, 0.5, 0.0, 0.01]))
        alpha[y : y + random.integers(1, 40), x : x + random.integers(1, 40)] = value
    if not sparse:
        alpha[random.random(alpha.shape) < 0.2] = 0
    alpha = alpha.astype(np.float16).astype(np.float32)
    confidence = random.random(alpha.shape).astype(np.float32)
    for becomes in (0.0, 1.0):
        mass = 1 - alpha if becomes else alpha
        made, trust = (without_holes if becomes else without_islands)(alpha, confidence, Rect(5, 7, 95, 77), limit, Pixels(scale))
        wanted, sure = alpha.copy(), confidence.copy()
        parts = connected_parts(mass > 1 / 510, 4 if becomes else 8)
        for k, (x0, y0, x1, y1) in enumerate(parts.boxes):
            own = parts.labels == k
            inside = x0 > 0 and y0 > 0 and x1 < 90 and y1 < 70
            if mass[own].astype(float).sum() < limit * scale**2 and (becomes == 0 or inside):
                wanted[own], sure[own] = becomes, confidence[own].min()
        assert np.array_equal(made, wanted) and np.array_equal(trust, sure)
