import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Projection, Rectilinear, make_projection

PROJECTIONS: list[Projection] = [
    Equirectangular(1024, 1024),
    Equirectangular(2048, 1024, (360, 180)),
    Fisheye(1000, 1000, 190),
    Fisheye(1200, 1000, 220),
    Rectilinear(1280, 720, 60),
    Rectilinear(960, 540),
]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=repr)
@given(u=st.floats(0.01, 0.99), v=st.floats(0.01, 0.99))
def test_project_then_unproject_is_the_identity(projection, u, v):
    point = np.array([u * projection.width, v * projection.height])
    direction = projection.unproject(point)
    if not np.isfinite(direction).all():
        return  # outside the image circle
    assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-9)
    assert projection.project(direction * 3.7) == pytest.approx(point, abs=1e-5)


def test_equirectangular_follows_the_contract():
    p = Equirectangular(1024, 512)
    x, y = 100, 37
    longitude = ((x + 0.5) / 1024 - 0.5) * math.pi
    latitude = (0.5 - (y + 0.5) / 512) * math.pi
    expected = [math.sin(longitude) * math.cos(latitude), math.sin(latitude), math.cos(longitude) * math.cos(latitude)]
    assert p.unproject(np.array([x + 0.5, y + 0.5])) == pytest.approx(expected)


def test_x_is_right_and_y_is_up():
    for p in PROJECTIONS:
        centre = p.project(np.array([0.0, 0.0, 1.0]))
        assert centre == pytest.approx([p.width / 2, p.height / 2])
        right, up = p.project(np.array([0.1, 0.0, 1.0])), p.project(np.array([0.0, 0.1, 1.0]))
        assert right[0] > centre[0] and right[1] == pytest.approx(centre[1])
        assert up[1] < centre[1] and up[0] == pytest.approx(centre[0])


def test_fisheye_is_equidistant():
    p = Fisheye(1000, 1000, 200)
    for degrees in (10, 45, 90, 99):
        a = math.radians(degrees)
        assert p.project(np.array([math.sin(a), 0, math.cos(a)]))[0] - 500 == pytest.approx(degrees / 100 * 500)


@given(lon=st.floats(-1.2, 1.2), tilt=st.floats(-1.0, 1.0))
def test_a_great_circle_is_a_straight_line_in_a_rectilinear_picture(lon, tilt):
    p = Rectilinear(2000, 2000, 120)
    normal = np.array([math.cos(lon), math.sin(tilt), 0.3 * math.sin(lon)])
    normal /= np.linalg.norm(normal)
    a = np.cross(normal, [0, 0.3, 1.0])
    a /= np.linalg.norm(a)
    b = np.cross(normal, a)
    t = np.linspace(0, 2 * math.pi, 400)
    circle = np.cos(t)[:, None] * a + np.sin(t)[:, None] * b
    points = p.project(circle[circle[:, 2] > 0.3])
    assert len(points) > 3
    line, *_ = np.linalg.svd(points - points.mean(axis=0))
    assert np.linalg.svd(points - points.mean(axis=0))[1][1] < 1e-6 * np.linalg.svd(points)[1][0] + 1e-6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Fisheye(10, 10, 360), "fov_degrees is 360"),
        (lambda: Rectilinear(10, 10, 170), "less than 170"),
        (lambda: Equirectangular(0, 10), "0x10"),
        (lambda: make_projection("cube", 4, 4), "allowed are equirect180"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_value(make, words):
    with pytest.raises(ValueError, match=words):
        make()
