"""Pixels of a picture for one of the reference's."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.matte.scale import REFERENCE_SIDE, reference_scale


@pytest.mark.parametrize("shape, scale", [((384, 384), 1.0), ((768, 768), 2.0), ((192, 768), 1.0), ((96, 96), 0.25)])
def test_it_goes_by_area(shape, scale):
    assert reference_scale(np.zeros(shape, np.float32)) == scale
    assert REFERENCE_SIDE == 384
