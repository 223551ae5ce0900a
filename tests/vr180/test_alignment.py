"""Turned cameras, held against the definition of a turn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.vr180.alignment import LEVEL, Alignment, Turned, rotation_matrix
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Equirectangular

angles = st.floats(-1.5, 1.5)
small = st.floats(-0.1, 0.1)
alignments = st.builds(Alignment, small, small, small)


@given(angles, angles, angles)
def test_a_turn_is_the_exponential_of_its_axis(x, y, z):
    """The sum of K^n / n!, K the matrix of the cross product."""
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    total, term = np.eye(3), np.eye(3)
    for n in range(1, 40):
        term = term @ cross / n
        total = total + term
    found = rotation_matrix(x, y, z)
    assert np.allclose(found, total, atol=1e-12) and np.allclose(found @ found.T, np.eye(3), atol=1e-12)


def test_axes_turn_into_each_other():
    quarter = math.pi / 2
    assert np.allclose(rotation_matrix(0, 0, quarter) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rotation_matrix(quarter, 0, 0) @ [0, 1, 0], [0, 0, 1])
    assert np.array_equal(rotation_matrix(0, 0, 0), np.eye(3))


@given(alignments, angles, angles)
def test_levelling_goes_there_and_back_and_leaves_the_right_eye_alone(alignment, longitude, latitude):
    ray = np.array([math.sin(longitude) * math.cos(latitude), math.sin(latitude), math.cos(longitude) * math.cos(latitude)])
    assert np.allclose(alignment.to_eye(alignment.to_level(ray, LEFT), LEFT), ray, atol=1e-12)
    assert alignment.to_level(ray, RIGHT) is ray and alignment.to_eye(ray, RIGHT) is ray


@pytest.mark.parametrize(
    ("alignment", "column", "row"),
    [(Alignment(pitch=0.02), 0, -1), (Alignment(yaw=0.02), 1, 0)],
    ids=["higher", "further to the right"],
)
def test_words_mean_what_they_say(alignment, column, row):
    """Where the left eye's picture shows what a level one shows in its middle."""
    projection = alignment.projection(Equirectangular(1800, 1800), LEFT)
    x, y = projection.project(np.array([0.0, 0.0, 1.0]))
    turned = math.degrees(0.02) * 10
    assert (x - 900, y - 900) == pytest.approx((column * turned, row * turned), abs=1e-6)


def test_clockwise_is_clockwise():
    x, y = Alignment(roll=0.02).projection(Equirectangular(1800, 1800), LEFT).project(np.array([0.0, 0.2, 1.0]))
    # what stood above the middle went to the right
    assert x > 902 and y < 900


def test_level_cameras_keep_their_projection():
    projection = Equirectangular(64, 64)
    assert LEVEL.projection(projection, LEFT) is projection and LEVEL.level and LEVEL.describe() == ""
    turned = Alignment(0.01, -0.02, 0.03)
    assert turned.projection(projection, RIGHT) is projection
    assert turned.describe() == "0.57° higher, 1.15° further to the left, 1.72° turned clockwise"
    assert turned.identity() != LEVEL.identity()
    small = Turned(projection, turned).resized(32, 16)
    assert (small.width, small.height, small.name) == (32, 16, projection.name)
    points = np.array([[10.0, 5.0], [16.0, 8.0]])
    assert np.allclose(small.project(small.unproject(points)), points)
