"""Where a refiner has a say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.matte.shapes import disc
from vr180_ofx.matte.contract import constant
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.parameters import BandParameters
from vr180_ofx.matte.refine import refine, restrict


@pytest.mark.parametrize("where", [(128, 128), (20, 240)])
def test_refining_the_persons_part_of_a_window_is_refining_the_window(where):
    rng = np.random.default_rng(3)
    guide = cv2.GaussianBlur(rng.random((256, 256, 3)).astype(np.float32), (0, 0), 2)
    mask = np.zeros((256, 256), np.float32)
    cv2.ellipse(mask, where, (30, 50), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)
    refiner = GuidedRefiner()
    part, whole = refine(refiner, guide, mask), restrict(refiner.refine(guide, mask), mask)
    assert np.abs(part.coefficients - whole.coefficients).max() < 1e-6 and part.gain == whole.gain
    assert not refine(refiner, guide, np.zeros_like(mask)).coefficients.any()


def test_beyond_the_band_a_refiner_has_no_say():
    """One that says one half everywhere, on a disc: it is heard as far from the edge as the band is wide."""
    mask, band = disc(100, 100, 60, side=200), 10
    alpha = restrict(constant(np.full_like(mask, 0.5)), mask, BandParameters(band_px=band)).value(np.zeros((200, 200, 3), np.float32))
    distance = 60 - np.hypot(*(np.mgrid[:200, :200] - 100))
    assert (alpha[distance > band + 3] == 1).all() and (alpha[distance < -band - 3] == 0).all()
    assert (alpha[np.abs(distance) < band - 3] == 0.5).all()
