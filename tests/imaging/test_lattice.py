import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.imaging.lattice import smooth_map, upsample_lattice
from vr180_ofx.imaging.rect import Rect

rects = st.builds(
    lambda x, y, w, h: Rect(x, y, x + w, y + h), st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 90), st.integers(1, 90)
)


def centres(rect):
    return np.stack(np.meshgrid(rect.x0 + np.arange(rect.width) + 0.5, rect.y0 + np.arange(rect.height) + 0.5), axis=-1)


@settings(deadline=None)
@given(rects, st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_what_grows_evenly_is_exact(rect, numbers):
    matrix = np.array(numbers).reshape(2, 3)

    def function(p):
        return p @ matrix[:, :2].T + matrix[:, 2]

    found = smooth_map(function, rect)
    assert found.shape == (rect.height, rect.width, 2) and found.dtype == np.float32
    assert np.allclose(found, function(centres(rect)), atol=1e-3)


@settings(deadline=None)
@given(rects, st.floats(16, 200), st.floats(16, 200))
def test_what_bends_is_as_exact_as_asked(rect, period_x, period_y):
    """The tolerance is meant in sample steps, of which there is at least one for a pixel here. Waves are a hundred pixels long, or more:
    of shorter ones three places, as a lattice of 16 has for a single pixel, can lie on a line.
    """

    def function(p):
        bent = np.stack([np.sin(p[..., 0] / period_x) * period_x, np.cos(p[..., 1] / period_y) * period_y], axis=-1)
        return 2 * p + bent

    error = np.abs(smooth_map(function, rect, 0.03) - function(centres(rect))).max()
    assert error < 0.03 * 3 * 2 + 1e-4


def test_where_it_has_no_place_it_is_nan_exactly_there():
    rect = Rect(0, 0, 40, 30)

    def function(p):
        return np.where(p[..., :1] < 17, np.nan, p)

    found = smooth_map(function, rect)
    assert np.array_equal(np.isnan(found[..., 0]), centres(rect)[..., 0] < 17)
    assert np.array_equal(found[:, 17:], centres(rect)[:, 17:].astype(np.float32))


def test_fewer_places_are_asked_for_than_there_are_pixels():
    asked = []

    def function(p):
        asked.append(p.size // 2)
        return p * 2

    smooth_map(function, Rect.of_size(320, 320))
    assert sum(asked) < 320 * 320 / 200


@pytest.mark.parametrize("step", [4, 16])
def test_a_lattice_begins_half_a_step_outside(step):
    ticks = (np.arange(6) - 0.5) * step
    coarse = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    found = upsample_lattice(coarse, step, 3 * step, 2 * step)
    assert np.allclose(found, centres(Rect.of_size(3 * step, 2 * step)), atol=1e-4)


def test_lattices_are_enlarged_where_the_pictures_are():
    torch = pytest.importorskip("torch")
    rect = Rect(-7, 3, 130, 77)

    def bent(p):
        return 3 * p + np.stack([np.sin(p[..., 1] / 40) * 40, np.cos(p[..., 0] / 90) * 90], axis=-1)

    def torn(p):
        return np.where(p[..., :1] < 50, p, np.nan)

    for function in (bent, torn):
        here, there = smooth_map(function, rect), smooth_map(function, rect, like=torch.zeros(1))
        assert isinstance(there, torch.Tensor) and there.dtype == torch.float32
        assert np.allclose(there.numpy(), here, rtol=1e-6, atol=1e-4, equal_nan=True)
