"""Masks as polygons, and back."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.imaging.outlines import covered_by, outlines_of
from vr180_ofx.imaging.rect import Rect


def disc(size, x, y, radius):
    xs, ys = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    return np.hypot(xs - x, ys - y) < radius


@pytest.mark.parametrize(
    "mask",
    [disc(40, 20, 21, 11), disc(40, 20, 20, 14) & ~disc(40, 18, 22, 6), disc(40, 9, 9, 6) | disc(40, 28, 30, 7), disc(40, 0, 20, 12)],
    ids=["disc", "with a hole", "two", "at the rim"],
)
def test_a_mask_is_what_its_outlines_cover(mask):
    made = covered_by(outlines_of(mask, off=0.5, least=4), Rect.of_size(40, 40)) > 0.5
    assert np.count_nonzero(made ^ mask) <= 0.04 * np.count_nonzero(mask)


def test_a_square_is_covered_to_its_very_corners():
    mask = np.zeros((10, 12), bool)
    mask[2:7, 3:9] = True
    (points,) = outlines_of(mask, off=0.1, least=1)
    # half a pixel of the doubled picture is a quarter of one here
    assert np.abs(points.min(axis=0) - (3.25, 2.25)).max() < 1e-9 and np.abs(points.max(axis=0) - (8.75, 6.75)).max() < 1e-9
    assert ((covered_by([points], Rect.of_size(12, 10)) > 0.5) == mask).all()


def test_small_parts_are_left_out_and_nothing_has_no_outline():
    mask = disc(40, 20, 20, 10)
    mask[2:4, 2:4] = True
    assert len(outlines_of(mask, off=0.5, least=20)) == 1 and outlines_of(np.zeros((5, 5), bool), off=0.5, least=1) == []
    assert not covered_by([], Rect.of_size(4, 3)).any()
