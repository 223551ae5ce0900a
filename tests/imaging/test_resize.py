import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging.reference import cubic, interpolated, linear
from vr180_ofx.imaging.resize import block_means, resize

PICTURE = np.random.default_rng(5).random((12, 16)).astype(np.float32)


@pytest.mark.parametrize(("interpolation", "weights"), [("linear", linear), ("cubic", cubic)])
@pytest.mark.parametrize("factor", [2, 4])
def test_corners_stay_corners(interpolation, weights, factor):
    found = resize(PICTURE, (16 * factor, 12 * factor), interpolation)
    expected = [
        [interpolated(PICTURE, (x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5, "edge", weights) for x in range(16 * factor)]
        for y in range(12 * factor)
    ]
    assert np.allclose(found, expected, atol=2e-5)


@given(st.sampled_from([(1, 1), (2, 2), (4, 3), (16, 12), (2, 1)]))
def test_area_is_the_mean_of_what_a_pixel_covers(block):
    across, down = block
    expected = PICTURE.reshape(12 // down, down, 16 // across, across).mean(axis=(1, 3))
    assert np.allclose(resize(PICTURE, (16 // across, 12 // down), "area"), expected, atol=1e-6)


@settings(deadline=None)
@given(st.integers(1, 16), st.integers(1, 12))
def test_area_keeps_the_mean(width, height):
    assert resize(PICTURE, (width, height), "area").mean() == pytest.approx(PICTURE.mean(), abs=1e-5)


def test_nearest_takes_pixels_as_they_are():
    found = resize(PICTURE, (8, 6), "nearest")
    assert np.isin(found, PICTURE).all() and np.array_equal(resize(PICTURE, (48, 36), "nearest"), PICTURE.repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 3))
def test_blocks_that_are_not_whole_are_completed_with_the_last_pixels(kind, across, down, channels):
    whole = (np.random.default_rng(across + 10 * down).random((13, 15, channels)) * 255).astype(kind)
    values = whole[..., 0] if channels == 1 else whole
    found = block_means(values, across, down)
    columns, rows = -(-15 // across), -(-13 // down)
    padded = np.pad(values, ((0, rows * down - 13), (0, columns * across - 15), *[(0, 0)] * (values.ndim - 2)), "edge")
    expected = padded.reshape(rows, down, columns, across, *values.shape[2:]).astype(np.float64).mean(axis=(1, 3))
    assert found.dtype == kind and found.shape == expected.shape
    assert np.abs(found - expected).max() <= (0.5 + 1e-9 if np.issubdtype(kind, np.integer) else 1e-4)


def test_single_pixels_are_the_picture_itself():
    assert block_means(PICTURE, 1, 1) is PICTURE
