"""Mattes in rectangles of an eye."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread


def patch(rect):
    rng = np.random.default_rng(0)
    return Patch(rect, *(rng.random((rect.height, rect.width)).astype(np.float32) for _ in range(2)))


@pytest.mark.parametrize("rect", [Rect(0, 0, 40, 30), Rect(10, 5, 30, 25), Rect(12, 8, 20, 14), Rect(15, 0, 60, 9), Rect(50, 50, 60, 60)])
def test_a_patch_in_another_rectangle_is_what_the_whole_eye_shows_there(rect):
    own = patch(Rect(10, 5, 30, 25))
    alpha, confidence = np.zeros((80, 80), np.float32), np.full((80, 80), 0.25, np.float32)
    alpha[own.rect.slices], confidence[own.rect.slices] = own.alpha, own.confidence
    got = spread(own, rect, around=0.25)
    assert all(np.array_equal(g, w[rect.slices]) for g, w in zip(got, (alpha, confidence), strict=True))
    # arrays of their own
    got[0][:] = 2
    assert own.alpha.max() <= 1


def test_nothing_says_nothing_and_halves_become_floats():
    alpha, confidence = spread(None, Rect(3, 4, 8, 10), around=1)
    assert alpha.shape == (6, 5) and not alpha.any() and (confidence == 1).all()

    class Layer:
        rect = Rect(0, 0, 2, 1)
        alpha = confidence = half(np.array([[0.5, 1.0]], np.float32))

    alpha, confidence = spread(Layer(), Rect(0, 0, 3, 1))
    assert alpha.dtype == np.float32 and alpha.tolist() == [[0.5, 1.0, 0.0]] and confidence.tolist() == [[0.5, 1.0, 0.0]]


def test_a_patch_fits_its_rectangle_and_shows_no_pixels():
    a = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match=r"confidence \(3, 4\); the rectangle's is \(4, 3\)"):
        Patch(Rect(0, 0, 3, 4), a, a)
    assert (
        repr(Patch(Rect(1, 2, 5, 5), a, a)) == "Patch(rect=Rect(x0=1, y0=2, x1=5, y1=5), alpha=float32 (3, 4), confidence=float32 (3, 4))"
    )
