"""Half-precision arrays."""

import numpy as np
import pytest

from vr180_ofx.imaging.half import half


def test_halves_are_rounded_as_numpy_does():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.random(5000), [0, 1, 2**-14, 2**-24, 2**-25, 1 - 2**-12, 65504]]).astype(np.float32)[None]
    assert half(values).dtype == np.float16 and np.array_equal(half(values), values.astype(np.float16))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_halves_of_nothing(shape):
    made = half(np.zeros(shape, np.float32))
    assert made.dtype == np.float16 and made.shape == shape
