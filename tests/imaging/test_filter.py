import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imaging.reference import around
from vr180_ofx.imaging.filter import box_blur, gaussian_blur, separable, slopes

PICTURE = np.random.default_rng(3).random((17, 23)).astype(np.float32)


@pytest.mark.parametrize("border", ["reflect", "symmetric", "edge"])
@given(st.integers(1, 9), st.integers(1, 9))
def test_a_box_is_the_mean_of_a_rectangle(border, width, height):
    reach = (width // 2, width - 1 - width // 2), (height // 2, height - 1 - height // 2)
    expected = around(PICTURE.astype(np.float64), *reach, border).mean(axis=(2, 3))
    assert np.allclose(box_blur(PICTURE, (width, height), border=border), expected, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7, 3.0])
def test_a_gaussian_is_its_kernel(sigma):
    size = round(sigma * 8 + 1) | 1
    reach = size // 2
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    expected = np.einsum("yxij,i,j->yx", around(PICTURE.astype(np.float64), (reach, reach), (reach, reach), "reflect"), weights, weights)
    assert np.allclose(gaussian_blur(PICTURE, sigma), expected, atol=1e-5)


def test_channels_are_blurred_each_for_itself_and_bytes_stay_bytes():
    two = np.stack([PICTURE, 1 - PICTURE], axis=-1)
    assert np.allclose(gaussian_blur(two, 1.0)[..., 0], gaussian_blur(PICTURE, 1.0), atol=1e-6)
    mask = np.zeros((21, 21), np.uint8)
    mask[10, 10] = 255
    blurred = gaussian_blur(mask, 0.7)
    peak = 255 / sum(math.exp(-0.5 * (k / 0.7) ** 2) for k in range(-2, 3)) ** 2
    assert blurred.dtype == np.uint8 and abs(int(blurred[10, 10]) - peak) < 2 and abs(int(blurred.sum()) - 255) < 8


def test_slopes_of_a_plane_are_its_slopes():
    ys, xs = np.mgrid[:9, :9].astype(np.float32)
    across, down = slopes(3 * xs - 2 * ys, scale=1 / 8)
    assert np.allclose(across[:, 1:-1], 3) and np.allclose(down[1:-1], -2)
    # the outermost pixel is not repeated, so what lies beyond mirrors what lies within
    assert np.allclose(across[:, [0, -1]], 0) and np.allclose(down[[0, -1]], 0)
    kernel = np.outer([1, 2, 1], [-1, 0, 1])
    expected = np.einsum("yxij,ij->yx", around(PICTURE.astype(np.float64), (1, 1), (1, 1), "reflect"), kernel)
    assert np.allclose(slopes(PICTURE)[0], expected, atol=1e-5)


@pytest.mark.parametrize("border", ["reflect", "edge"])
def test_separable_kernels_are_not_mirrored(border):
    across, down = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 0.25, -0.5, 3.0])
    expected = np.einsum("yxij,i,j->yx", around(PICTURE.astype(np.float64), (1, 1), (2, 2), border), down, across)
    assert np.allclose(separable(PICTURE, across, down, border=border), expected, atol=1e-5)
