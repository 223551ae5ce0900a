import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging.reference import cubic, interpolated, linear
from vr180_ofx.imaging.sample import sample

RNG = np.random.default_rng(0)
PICTURES = {
    "grey": RNG.random((9, 12)).astype(np.float32),
    "colour": RNG.random((9, 12, 3)).astype(np.float32),
    "four": RNG.random((9, 12, 4)).astype(np.float32),
}
# sixteenths: implementations may round places to fractions of a pixel, and these are the same in all of them
sixteenths = st.integers(-40, 240).map(lambda k: k / 16)
points = st.lists(st.tuples(sixteenths, sixteenths), min_size=1, max_size=12)


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize("border", [0.0, -8.0, "edge"])
@pytest.mark.parametrize(("interpolation", "weights"), [("linear", linear), ("cubic", cubic)])
@settings(deadline=None)
@given(points)
def test_values_are_those_of_the_definition(name, border, interpolation, weights, where):
    """The centre of pixel i lies at i + 0.5."""
    picture = PICTURES[name]
    found = sample(picture, np.array(where, np.float32), border=border, interpolation=interpolation)
    expected = [interpolated(picture, x - 0.5, y - 0.5, border, weights) for x, y in where]
    assert found.shape == (len(where), *picture.shape[2:]) and found.dtype == np.float32
    assert np.allclose(found, expected, atol=2e-5)


def test_a_border_may_have_a_number_for_each_channel():
    found = sample(PICTURES["four"], np.array([[-5.0, 2.0], [3.5, 2.5]]), border=(0.0, 1.0, 2.0, 3.0))
    assert found[0].tolist() == [0, 1, 2, 3] and np.array_equal(found[1], PICTURES["four"][2, 3])
    assert (sample(PICTURES["colour"], np.array([[-5.0, 2.0]]), border=7.0) == 7).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("spoilt", [(np.nan, 2.0), (2.0, np.nan), (np.nan, np.nan)])
def test_nan_is_outside(kind, spoilt):
    places = np.array([[spoilt, (2.5, 2.5)]], kind)
    assert sample(PICTURES["grey"], places, border=-3.0).tolist() == [[-3.0, PICTURES["grey"][2, 2]]]
    assert np.isfinite(sample(PICTURES["colour"], places, border="edge")).all()
    assert np.isnan(places[0, 0]).any()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_integers_stay_integers_and_are_rounded(kind):
    picture = np.array([[0, 10], [20, 31]], kind)
    found = sample(picture, np.array([[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [1.5, 1.5]], np.float32), border="edge")
    assert found.dtype == kind and found.tolist() == [0, 5, 15, 31]


@given(st.integers(-3, 9), st.integers(-3, 9), st.sampled_from([(1, 1), (2, 2), (4, 2), (0.5, 0.5)]))
def test_a_plane_may_begin_anywhere_and_have_pixels_of_any_size(x0, y0, pixel):
    picture = PICTURES["grey"]
    i, j = np.meshgrid(np.arange(12), np.arange(9))
    # where the centres of its pixels lie
    places = np.stack([x0 + (i + 0.5) * pixel[0], y0 + (j + 0.5) * pixel[1]], axis=-1).astype(np.float32)
    before = places.copy()
    assert np.array_equal(sample(picture, places, border="edge", origin=(x0, y0), pixel=pixel), picture)
    assert np.array_equal(places, before)


def test_pixel_indices_have_their_centre_at_themselves():
    picture = PICTURES["grey"]
    places = np.stack(np.meshgrid(np.arange(12), np.arange(9)), axis=-1).astype(np.float32)
    assert np.array_equal(sample(picture, places, centre=0), picture)
    assert sample(picture, places, centre=0) is not picture


@pytest.mark.parametrize("more", [{}, {"centre": 0}, {"origin": (1, 2)}, {"origin": (1, 2), "pixel": (2, 1)}])
def test_places_may_lie_in_any_order(more):
    places = (RNG.random((7, 5, 2)) * (12, 9)).astype(np.float32)
    places[2, 3] = np.nan
    expected = sample(PICTURES["grey"], places, **more)
    for other in (np.asfortranarray(places), np.moveaxis(np.moveaxis(places, -1, 0).copy(), 0, -1), places.repeat(2, axis=1)[:, ::2]):
        assert np.array_equal(sample(PICTURES["grey"], other, **more), expected)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), max_size=2))
def test_many_grids_are_looked_up_as_one(leading):
    places = RNG.random((*leading, 6, 2)) * (12, 9)
    found = sample(PICTURES["colour"], places)
    flat = sample(PICTURES["colour"], places.reshape(-1, 2))
    assert found.shape == (*leading, 6, 3) and np.array_equal(found.reshape(-1, 3), flat)


@settings(deadline=None)
@given(st.floats(1, 11), st.floats(1, 8))
def test_what_grows_evenly_is_interpolated_exactly(x, y):
    """Up to the fractions of a pixel that places may be rounded to."""
    ramp = (2 * np.arange(12)[None, :] - np.arange(9)[:, None]).astype(np.float32)
    assert sample(ramp, np.array([[x, y]]))[0] == pytest.approx(2 * (x - 0.5) - (y - 0.5), abs=3 / 64 + 1e-5)
