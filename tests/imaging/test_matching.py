import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.matching import corners, semi_global_shift, template_likeness, track_points


def texture(height, width, seed=0, sigma=1.5):
    noise = gaussian_blur(np.random.default_rng(seed).random((height, width)).astype(np.float32), sigma)
    return np.clip((noise - noise.min()) / (noise.max() - noise.min()) * 255, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("enlarge", [1, 2])
@pytest.mark.parametrize("shift", [-7, 0, 5])
def test_a_shift_along_rows_is_found_in_both_directions(enlarge, shift):
    """left shows at column i + shift what right shows at column i."""
    whole = texture(80, 200)
    right, left = whole[:, 30:170], whole[:, 30 - shift : 170 - shift]
    found = semi_global_shift(left, right, -16, 16, enlarge=enlarge)
    inner = found[10:-10, 25:-25]
    assert found.shape == right.shape and found.dtype == np.float32
    assert (np.abs(inner - shift) < 0.3).mean() > 0.97


def test_a_part_of_a_picture_is_found_where_it_is():
    picture = texture(60, 90).astype(np.float32)
    likeness = template_likeness(picture, picture[20:40, 33:60].copy(), np.ones((20, 27), np.float32))
    assert likeness.shape == (41, 64)
    y, x = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    assert (int(y), int(x)) == (20, 33) and likeness.max() == pytest.approx(1, abs=1e-3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_likeness_is_a_correlation_coefficient(seed):
    """Under the mask alone, whatever brightness and contrast are."""
    rng = np.random.default_rng(seed)
    picture, template = rng.random((12, 15)).astype(np.float32), rng.random((6, 7)).astype(np.float32)
    mask = (rng.random((6, 7)) > 0.3).astype(np.float32)
    found = template_likeness(picture, template, mask)
    inside = mask > 0
    for y, x in ((0, 0), (3, 5), (6, 8)):
        expected = np.corrcoef(picture[y : y + 6, x : x + 7][inside], template[inside])[0, 1]
        assert found[y, x] == pytest.approx(expected, abs=2e-3)
    assert np.allclose(template_likeness(picture * 3 + 1, template, mask), found, atol=2e-3)


def test_corners_are_where_edges_meet():
    picture = np.zeros((60, 80), np.uint8)
    picture[20:40, 25:60] = 200
    found = corners(picture, 10)
    expected = np.array([[25, 20], [59, 20], [25, 39], [59, 39]])
    apart = np.abs(found[:, None] - expected[None]).max(axis=-1)
    assert found.dtype == np.float32 and len(found) == 4 and (apart.min(axis=0) <= 1).all()
    assert corners(np.zeros((60, 80), np.uint8), 10).shape == (0, 2)


def test_corners_keep_their_distance_and_their_number():
    found = corners(texture(100, 120), 30, apart=9)
    distance = np.hypot(*(found[:, None] - found[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(found))
    assert len(found) == 30 and distance.min() >= 9 - 1e-3


def test_points_are_followed():
    whole = texture(140, 170, sigma=2.5)
    here, there = whole[10:-10, 10:-10], whole[8:-12, 13:-7]
    points = corners(here, 40)
    points = points[(points > 20).all(axis=1) & (points < (130, 100)).all(axis=1)]
    places, found = track_points(here, there, points)
    assert len(points) > 8 and places.shape == points.shape and found.dtype == np.bool_ and found.mean() > 0.9
    assert np.abs(places - points - (-3, 2))[found].max() < 0.1
