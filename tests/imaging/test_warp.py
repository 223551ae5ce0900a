import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging.reference import interpolated
from vr180_ofx.imaging.warp import inverse_affine, warp_affine

PICTURE = np.random.default_rng(1).random((11, 14)).astype(np.float32)
quarters = st.integers(-6, 6).map(lambda k: k / 4)
steps = st.integers(-24, 48).map(lambda k: k / 4)
matrices = st.tuples(quarters, quarters, steps, quarters, quarters, steps).map(lambda v: np.array(v).reshape(2, 3))


@pytest.mark.parametrize("border", [0.0, 5.0, "edge"])
@settings(deadline=None)
@given(matrices)
def test_matrices_lead_from_the_result_to_the_source(border, matrix):
    found = warp_affine(PICTURE, matrix, (8, 6), border=border)
    places = [[matrix @ (x, y, 1) for x in range(8)] for y in range(6)]
    expected = [[interpolated(PICTURE, x, y, border) for x, y in row] for row in places]
    assert found.shape == (6, 8) and np.allclose(found, expected, atol=2e-5)


def test_channels_and_kinds_stay():
    colour = (np.random.default_rng(2).random((9, 9, 3)) * 255).astype(np.uint8)
    moved = warp_affine(colour, np.array([[1.0, 0, 2], [0, 1, -1]]), (9, 9))
    assert moved.dtype == np.uint8 and np.array_equal(moved[1:, :7], colour[:-1, 2:]) and not moved[0].any()


@given(st.lists(st.floats(-20, 20), min_size=6, max_size=6).map(lambda v: np.array(v).reshape(2, 3)))
def test_the_way_there_and_back_is_none(matrix):
    whole = np.concatenate([matrix, [[0, 0, 1]]])
    if abs(np.linalg.det(whole)) < 1e-3:
        return
    back = np.concatenate([inverse_affine(matrix), [[0, 0, 1]]])
    assert np.allclose(back @ whole, np.eye(3), atol=1e-6)


def test_what_has_no_way_back_is_refused():
    with pytest.raises(ValueError, match="no inverse"):
        inverse_affine(np.array([[1.0, 2, 3], [2, 4, 5]]))
