import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Rectilinear
from vr180_ofx.vr180.window import Window, between, direction_from_angles

angles = st.tuples(st.floats(-1.4, 1.4), st.floats(-1.5, 1.5), st.floats(20, 240), st.floats(-170, 170))


@given(angles, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_directions_and_points_are_inverse(a, u, v):
    w = Window(direction_from_angles(a[0], a[1]), a[2], a[3], 256)
    p = np.array([u, v]) * 256
    assert w.points(w.directions(p)) == pytest.approx(p, abs=1e-6)


def test_the_picture_is_upright_and_roll_is_clockwise():
    w = Window((0, 0, 1), 90, 0, 100)
    # the side of the view is 45° from its middle, and half of 2 tan(45° / 2) is 2 tan(23.41° / 2)
    half = 2 * math.atan(math.tan(math.pi / 8) / 2)
    above, right = np.array([0.0, math.sin(half), math.cos(half)]), np.array([math.sin(half), 0.0, math.cos(half)])
    assert w.points(above) == pytest.approx([50, 25]) and w.points(right) == pytest.approx([75, 50])
    assert w.points(np.array([0.0, 1.0, 1.0])) == pytest.approx([50, 0])
    # a camera that is rolled clockwise by 90° has the scene's right side above
    rolled = Window((0, 0, 1), 90, 90, 100)
    assert rolled.points(right) == pytest.approx([50, 25])


@given(angles, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_shapes_are_kept_all_over_a_window(a, u, v):
    """The map is conformal: a step to the right and one down in the window are as long on the sphere, and at right angles."""
    w = Window(direction_from_angles(a[0], a[1]), a[2], a[3], 256)
    p, right, below = np.array([u, v]) * 256, np.array([1e-3, 0]), np.array([0, 1e-3])
    across = w.directions(p + right) - w.directions(p - right)
    down = w.directions(p + below) - w.directions(p - below)
    assert np.linalg.norm(across) == pytest.approx(np.linalg.norm(down), rel=1e-5)
    assert abs(across @ down) < 1e-5 * (across @ across)


@pytest.mark.parametrize(
    "projection", [Equirectangular(900, 900), Fisheye(900, 900, 200), Rectilinear(900, 700, 80)], ids=["equirect", "fisheye", "flat"]
)
@given(angles)
def test_maps_agree_with_the_analytic_ones(projection, a):
    w = Window(direction_from_angles(a[0] * 0.6, a[1] * 0.6), min(a[2], 90), a[3], 200)
    grid = w.grid(projection)
    ticks = np.arange(200) + 0.5
    exact = projection.project(w.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1)))
    # what lies outside the picture is never read
    with np.errstate(invalid="ignore"):
        shown = (exact > 0).all(-1) & (exact[..., 0] < projection.width) & (exact[..., 1] < projection.height)
    if not shown.any():
        return
    step = np.nanmedian(np.abs(np.diff(exact[..., 0], axis=1)))
    assert np.abs(grid - exact)[shown].max() < 0.15 * max(1.0, step)


@pytest.mark.parametrize(
    "projection", [Equirectangular(1024, 1024), Fisheye(1024, 1024, 190), Rectilinear(1024, 1024, 70)], ids=["equirect", "fisheye", "flat"]
)
def test_a_crop_pasted_back_is_the_source_within_resampling_error(projection):
    y, x = np.mgrid[:1024, :1024]
    smooth = 0.5 + 0.2 * np.sin(x / 19) + 0.2 * np.cos(y / 23)
    eye = RgbEye((np.repeat(smooth[..., None], 3, -1) * 65535).astype(np.uint16), (0, 0), 1024, 1024)
    w = Window(direction_from_angles(0.2, -0.1), 30, 12, 512)
    crop = eye.sample(w.grid(projection)).rgb
    rect = w.bounds(projection)
    back = w.inverse_map(projection, rect)
    pasted = cv2.remap(crop, back[..., 0] - 0.5, back[..., 1] - 0.5, cv2.INTER_LINEAR)
    inside = (back > 4).all(-1) & (back < 508).all(-1)
    assert inside.sum() > 3000
    assert np.abs(pasted[..., 0] - smooth[rect.slices])[inside].max() < 0.01


def test_minifying_is_antialiased():
    """A fine checkerboard becomes grey, not another checkerboard."""
    y, x = np.mgrid[:2048, :2048]
    board = (((x // 2) + (y // 2)) % 2 * 255).astype(np.uint8)
    eye = RgbEye(np.repeat(board[..., None], 3, -1), (0, 0), 2048, 2048)
    crop = eye.sample(Window((0, 0, 1), 100, 0, 64).grid(Equirectangular(2048, 2048))).rgb
    assert crop.std() < 0.05 and crop.mean() == pytest.approx(0.5, abs=0.02)


def test_beyond_the_picture_is_black():
    eye = RgbEye(np.full((256, 256, 3), 255, np.uint8), (0, 0), 256, 256)
    crop = eye.sample(Window(direction_from_angles(math.radians(85), 0), 60, 0, 64).grid(Equirectangular(256, 256))).rgb
    assert crop[32, 10].min() > 0.99 and crop[32, 60].max() == 0


def test_a_window_over_the_pole_shows_it():
    w = Window(direction_from_angles(0, math.pi / 2), 60, 0, 64)
    assert w.points(np.array([0.0, 1.0, 0.0])) == pytest.approx([32, 32])
    assert not w.bounds(Equirectangular(512, 512)).empty


@pytest.mark.parametrize(("fov", "size", "words"), [(0, 10, "fov_degrees is 0"), (300, 10, "less than 300"), (60, 0, "size is 0")])
def test_impossible_windows_are_refused(fov, size, words):
    with pytest.raises(ValueError, match=words):
        Window((0, 0, 1), fov, 0, size)


def test_rect_arithmetic():
    r = Rect(-3, 2, 10, 8)
    assert (r.clipped(6, 6)) == Rect(0, 2, 6, 6)
    assert Rect(0, 0, 0, 0).union(r) == r
    assert r.grown(1) == Rect(-4, 1, 11, 9)
    assert Rect(5, 5, 5, 9).empty


@given(st.floats(-1, 1), st.floats(-0.5, 0.5), st.floats(-40, 40))
def test_a_window_knows_where_its_pixels_are_in_another(lon, lat, roll):
    a = Window(direction_from_angles(lon, lat), 60, roll, 100)
    b = Window(direction_from_angles(lon + 0.1, lat - 0.05), 170, roll + 5, 120)
    places = between(a, b)
    assert places.shape == (100, 100, 2)
    for x, y in ((20, 30), (70, 55), (0, 99)):
        assert places[y, x] == pytest.approx(b.points(a.directions(np.array([x + 0.5, y + 0.5]))), abs=0.05)
    assert between(a, a) == pytest.approx(np.stack(np.meshgrid(np.arange(100) + 0.5, np.arange(100) + 0.5), -1), abs=1e-3)
