"""Polygons as coverage, against their area, and against points that lie in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imaging.rays import inside
from vr180_ofx.imaging.polygon import coverage
from vr180_ofx.imaging.rect import Rect

POINT = st.tuples(st.floats(-5, 45), st.floats(-5, 35))


def test_a_rectangle_between_pixels_covers_shares_of_them():
    made = coverage(np.array([[2.25, 1.5], [6.5, 1.5], [6.5, 4], [2.25, 4]]), Rect(0, 0, 10, 6))
    assert made.sum() == pytest.approx(4.25 * 2.5, rel=1e-6)
    assert made[1, 2] == pytest.approx(0.75 * 0.5) and made[2, 2] == pytest.approx(0.75) and made[3, 6] == pytest.approx(0.5)
    assert made[0].max() == 0 and made[4].max() == 0 and made[2, 3] == 1


@given(st.lists(POINT, min_size=3, max_size=9))
def test_what_lies_wholly_inside_is_one_and_outside_is_zero(points):
    points, rect = np.array(points), Rect(0, 0, 40, 30)
    made = coverage(points, rect)
    ys, xs = np.mgrid[: 30 * 8, : 40 * 8]
    fine = inside(points, (xs + 0.5) / 8, (ys + 0.5) / 8).reshape(30, 8, 40, 8).mean(axis=(1, 3))
    # a pixel is looked at in 8 x 8 points here: crossed by a few edges it may differ by some of them
    assert np.abs(made - fine).max() < 0.25 and np.abs(made - fine).mean() < 0.01


def test_a_part_of_the_picture_is_the_same_as_that_part_of_all_of_it():
    star = np.array([[20, 1], [31, 28], [2, 11], [38, 11], [9, 28]], float)
    whole = coverage(star, Rect(0, 0, 40, 30))
    part = coverage(star, Rect(7, 5, 33, 22))
    assert np.allclose(part, whole[5:22, 7:33], atol=1e-6)
    assert whole[13, 19] == 0, "what the line goes around twice is outside"
