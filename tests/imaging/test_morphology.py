import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imaging.reference import around
from vr180_ofx.imaging.morphology import box, dilate, disc, erode, opened, square

VALUES = np.random.default_rng(4).random((19, 25)).astype(np.float32)
kernels = st.one_of(
    st.integers(0, 4).map(disc),
    st.integers(0, 4).map(square),
    st.builds(lambda w, h: box(2 * w + 1, 2 * h + 1), st.integers(0, 4), st.integers(0, 3)),
)


def extreme(values, kernel, largest):
    """By its definition; nothing lies beyond the picture."""
    rows, columns = (n // 2 for n in kernel.shape)
    worst = -np.inf if largest else np.inf
    windows = around(values.astype(np.float64), (columns, columns), (rows, rows), "constant", constant_values=worst)
    picked = np.where(kernel > 0, windows, worst)
    return picked.max(axis=(2, 3)) if largest else picked.min(axis=(2, 3))


@given(kernels)
def test_the_largest_and_the_least_under_a_kernel(kernel):
    assert np.array_equal(dilate(VALUES, kernel), extreme(VALUES, kernel, True).astype(np.float32))
    assert np.array_equal(erode(VALUES, kernel), extreme(VALUES, kernel, False).astype(np.float32))


@given(kernels)
def test_masks_stay_masks(kernel):
    mask = VALUES > 0.9
    grown, shrunk = dilate(mask, kernel), erode(~mask, kernel)
    assert grown.dtype == shrunk.dtype == np.bool_
    assert np.array_equal(grown, extreme(mask, kernel, True) > 0)
    # what grows is what all else loses
    assert np.array_equal(shrunk, ~grown)
    as_bytes = dilate(mask.astype(np.uint8), kernel)
    assert as_bytes.dtype == np.uint8 and np.array_equal(as_bytes > 0, grown)


@given(kernels)
def test_opening_takes_away_and_does_so_once(kernel):
    once = opened(VALUES, kernel)
    assert (once <= VALUES).all() and np.array_equal(opened(once, kernel), once)
    assert np.array_equal(once, dilate(erode(VALUES, kernel), kernel))


@pytest.mark.parametrize("radius", range(1, 30))
def test_a_disc_is_round(radius):
    """Each row reaches as far as the circle does, rounded."""
    kernel = disc(radius)
    rows = np.arange(-radius, radius + 1)
    reach = np.rint(np.sqrt(radius**2 - rows**2.0))
    assert np.array_equal(kernel, np.abs(rows)[None, :] <= reach[:, None])


def test_kernels_are_made_once_and_are_not_to_be_changed():
    assert disc(5) is disc(5) and square(2) is box(5, 5) and box(3, 7).shape == (7, 3)
    with pytest.raises(ValueError, match="read-only"):
        disc(5)[0, 0] = 1
