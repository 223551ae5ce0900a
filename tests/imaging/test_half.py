import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vr180_ofx.imaging.half import add_half, floats, half, least_half

alphas = hnp.arrays(np.float32, (4, 6), elements=st.floats(0, 1, width=32))


@given(hnp.arrays(np.float32, (3, 7), elements=st.floats(-60000, 60000, width=32)))
def test_halves_are_those_of_numpy_to_the_bit(values):
    expected = values.astype(np.float16)
    # zeros have no sign
    expected[values == 0] = 0
    assert np.array_equal(half(values).view(np.uint16), expected.view(np.uint16))


def test_versions_of_opencv_that_know_no_halves_give_the_same(monkeypatch):
    values = np.array([-0.0, 0.0, 1e-9, -1e-9, 1 / 3, 0.7, 1.0, -2.5, 1e5], np.float32)
    before = half(values)
    monkeypatch.setattr("vr180_ofx.imaging.half._OPENCV_HALF", False)
    with np.errstate(over="ignore"):
        assert np.array_equal(half(values).view(np.uint16), before.ravel().view(np.uint16))


def test_every_finite_half_becomes_the_float_that_it_is(monkeypatch):
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    every = halves[np.isfinite(halves)].reshape(-1, 1024)
    made = floats(every)
    assert made.dtype == np.float32 and made.shape == every.shape and np.array_equal(made, every.astype(np.float32))
    # parts of arrays, and what may not be written to
    held = np.frombuffer(every.tobytes(), np.float16).reshape(every.shape)
    assert np.array_equal(floats(held[3:9, 5:20]), every[3:9, 5:20].astype(np.float32)) and floats(every[:0]).shape == (0, 1024)
    monkeypatch.setattr("vr180_ofx.imaging.half._OPENCV_HALF", False)
    assert np.array_equal(floats(every), made)


@given(alphas, alphas)
def test_sums_stay_at_or_below_one(a, b):
    total, alpha = a.astype(np.float16), b.astype(np.float16)
    expected = np.minimum(total.astype(np.float32) + alpha.astype(np.float32), 1).astype(np.float16)
    before = alpha.copy()
    add_half(total, alpha)
    assert np.array_equal(total, expected) and np.array_equal(alpha, before)


@given(alphas, alphas)
def test_the_lesser_of_two(a, b):
    total, values = a.astype(np.float16), b.astype(np.float16)
    expected = np.minimum(total, values)
    least_half(total, values)
    assert np.array_equal(total, expected)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_halves_of_nothing(shape):
    made = half(np.zeros(shape, np.float32))
    assert made.dtype == np.float16 and made.shape == shape
