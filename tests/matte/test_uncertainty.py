"""Where an alpha is uncertain."""

from __future__ import annotations

import numpy as np
import pytest

from tests.matte.shapes import disc
from vr180_ofx.matte.parameters import UncertaintyParameters
from vr180_ofx.matte.uncertainty import uncertainty


@pytest.mark.parametrize("margin", [0, 5])
def test_it_is_at_edges_and_so_far_around(margin):
    alpha = disc(100, 100, 60, soft=4, side=200)
    found = uncertainty(alpha, UncertaintyParameters(0.05), margin)
    distance = np.abs(60 - np.hypot(*(np.mgrid[:200, :200] - 100)))
    assert found[distance < 2 + margin].min() > 0.9 and found[distance > 8 + 1.5 * margin].max() == 0
    assert ((found > 0) & (found < 1)).any() and found.max() <= 1


def test_what_is_certain_is_by_the_least_alpha():
    haze = np.full((20, 20), 0.03, np.float32)
    assert uncertainty(haze, UncertaintyParameters(0.02)).min() == 1 and uncertainty(haze, UncertaintyParameters(0.05)).max() == 0
    assert uncertainty(1 - haze, UncertaintyParameters(0.02)).min() == 1
