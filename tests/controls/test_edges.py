"""Edge controls, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.controls.contract import EyeMattes
from vr180_ofx.controls.edges import EdgeControls, resized, shaped
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.settings.edges import EdgesSettings


class Alone:
    """Nothing to look at: edges by themselves ask for nothing."""

    def picture(self, n):
        raise AssertionError(f"the picture of frame {n} was asked for")

    mattes = picture

    def say(self, kind, name, fact):
        raise AssertionError(f"{name} has nothing to say")


def step(at: float, width: int = 60, height: int = 50, ramp: float = 1.0) -> np.ndarray:
    """A straight edge: 1 left of ``at``, over ``ramp`` pixels."""
    row = np.clip((at - (np.arange(width) + 0.5)) / ramp + 0.5, 0, 1)
    return np.broadcast_to(row.astype(np.float32), (height, width)).copy()


@given(st.floats(-8, 8), st.sampled_from([1.0, 4.0, 9.0]))
def test_a_straight_edge_moves_by_so_many_pixels_and_keeps_its_profile(size, ramp):
    # what is mixed between two whole radii is off by at most the share of a pixel that a step of one pixel has
    inner = (slice(15, -15), slice(12, -12))
    moved, truth = resized(step(30, ramp=ramp), size)[inner], step(30 + size, ramp=ramp)[inner]
    assert np.abs(moved.sum(axis=1) - truth.sum(axis=1)).max() < 0.02
    assert np.abs(moved - truth).max() < 0.26 / ramp


def test_a_matte_grows_beyond_its_rectangle_and_not_beyond_the_picture():
    patch = Patch(Rect(10, 0, 20, 10), np.ones((10, 10), np.float32), np.ones((10, 10), np.float32))
    grown = shaped(patch, EdgesSettings(size=3), 40, 30)
    assert grown.rect == Rect(7, 0, 23, 13) and grown.alpha[0, 0] == 1 and grown.confidence.shape == (13, 16)
    assert patch.alpha.shape == (10, 10)


def test_two_who_grow_into_each_other_add_up_to_one():
    ones = np.ones((10, 10), np.float32)
    eye = EyeMattes(40, 20, {1: Patch(Rect(5, 5, 15, 15), ones, ones), 2: Patch(Rect(16, 5, 26, 15), ones, ones)})
    made = EdgeControls(lambda n, p: EdgesSettings(size=4), ()).apply(0, {"left": eye}, Alone())["left"]
    total = np.zeros((20, 40), np.float32)
    for patch in made.people.values():
        total[patch.rect.slices] += patch.alpha
    assert total.max() == pytest.approx(1, abs=1e-6) and total[10, 5:26].min() == pytest.approx(1, abs=1e-6)


def test_without_a_value_there_is_nothing_to_do():
    assert EdgeControls(lambda n, p: EdgesSettings(), (1,)).identity(0) == ""
    assert EdgeControls(lambda n, p: EdgesSettings(size=1 if p == 1 else 0), (1,)).identity(0) != ""
