"""The refiner that refines nothing."""

from __future__ import annotations

import numpy as np

from vr180_ofx.matte.plain import NoRefiner


def test_the_mask_comes_back_whatever_the_picture_shows():
    rng = np.random.default_rng(0)
    mask = rng.random((6, 8)).astype(np.float32)
    refined = NoRefiner().refine(rng.random((6, 8, 3)).astype(np.float32), mask)
    assert np.abs(refined.value(rng.random((6, 8, 3)).astype(np.float32)) - mask).max() < 1e-6
