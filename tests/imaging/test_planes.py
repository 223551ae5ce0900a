import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vr180_ofx.imaging.planes import absolute_difference, colour_transform, grey, interleaved, padded, planes_of, within

RGB = np.random.default_rng(6).random((7, 9, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_planes_come_apart_and_together(kind, channels):
    values = (np.random.default_rng(7).random((5, 8, channels)) * 255).astype(kind)
    planes = planes_of(values)
    assert len(planes) == channels and all(np.array_equal(p, values[..., k]) for k, p in enumerate(planes))
    assert np.array_equal(interleaved(planes), values) and interleaved(planes).dtype == kind


@given(*[st.integers(0, 4)] * 4)
def test_padding_repeats_the_outermost_pixels(left, top, right, bottom):
    found = padded(RGB, left=left, top=top, right=right, bottom=bottom)
    assert np.array_equal(found, np.pad(RGB, ((top, bottom), (left, right), (0, 0)), "edge"))


def test_colours_times_a_matrix():
    matrix = np.random.default_rng(8).normal(size=(2, 3)).astype(np.float32)
    assert np.allclose(colour_transform(RGB, matrix), np.einsum("mn,yxn->yxm", matrix, RGB), atol=1e-6)


def test_grey_is_luma_of_bt601():
    assert np.allclose(grey(RGB), RGB @ np.array([0.299, 0.587, 0.114], np.float32), atol=1e-6)


def test_within_holds_its_ends():
    values = np.array([[0.0, 0.25, 0.5, 0.75]], np.float32)
    assert within(values, 0.25, 0.5).tolist() == [[0, 255, 255, 0]]


pictures = hnp.arrays(np.uint8, (3, 5))


@given(pictures, pictures)
def test_differences_of_bytes_do_not_overflow(a, b):
    found = absolute_difference(a, b)
    assert found.dtype == np.uint8 and np.array_equal(found, np.abs(a.astype(int) - b))
