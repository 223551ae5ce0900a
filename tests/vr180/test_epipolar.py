"""What two parallel eyes see of a point, from first principles."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vr180_ofx.vr180.epipolar import EpipolarWindow, angles, directions, range_m
from vr180_ofx.vr180.projection import Equirectangular

metres = st.floats(-8, 8)
B = 0.064


def seen(point, eye):
    """The direction in which the left (-1) or right (+1) eye sees a point."""
    return np.asarray(point) - np.array([eye * B / 2, 0, 0])


@given(metres, metres, st.floats(0.05, 20))
def test_a_point_keeps_its_elevation_from_eye_to_eye(x, y, z):
    left, right = (angles(seen((x, y, z), eye)) for eye in (-1, 1))
    assert left[1] == pytest.approx(right[1], abs=1e-12) and left[0] > right[0]
    assert range_m(left[0], right[0], B) == pytest.approx(math.hypot(y, z), rel=1e-6)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_angles_and_directions_are_inverse(lateral, elevation):
    d = directions(np.array(lateral), np.array(elevation))
    assert np.linalg.norm(d) == pytest.approx(1) and np.allclose(angles(d), [lateral, elevation], atol=1e-9)


def test_what_lies_too_far_to_tell_is_infinitely_far():
    assert range_m(np.array(0.1), np.array(0.1), B) == np.inf and range_m(np.array(0.1), np.array(0.2), B) == np.inf


@given(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2), st.floats(2e-4, 3e-3), st.integers(1, 300), st.integers(1, 300))
def test_windows_show_what_they_say(lateral, elevation, scale, width, height):
    assume(abs(lateral) + scale * width / 2 < 1.57 and abs(elevation) + scale * height / 2 < 1.57)
    window = EpipolarWindow(lateral, elevation, scale, width, height)
    projection = Equirectangular(1024, 1024)
    grid = window.grid(projection)
    assert grid.shape == (height, width, 2)
    back = window.points(projection.unproject(grid))
    rows, columns = np.mgrid[:height, :width] + 0.5
    assert np.allclose(back[..., 0], columns, atol=1e-4) and np.allclose(back[..., 1], rows, atol=1e-4)


def test_the_same_point_is_on_the_same_row_of_both_windows():
    """Far from the middle, too, where rows of the equirectangular picture differ by many pixels."""
    projection = Equirectangular(3072, 3072)
    worst = 0.0
    for point in ((0.9, -0.8, 0.5), (-1.2, 0.7, 0.6), (0.2, 0.1, 1.0)):
        left, right = seen(point, -1), seen(point, 1)
        a = angles(left)
        window = EpipolarWindow(float(a[0]) * 0.9, float(a[1]), 1e-3, 200, 200)
        assert window.points(left)[1] == pytest.approx(window.moved(float(angles(right)[0]) * 0.9).points(right)[1], abs=1e-9)
        worst = max(worst, abs(projection.project(left)[1] - projection.project(right)[1]))
    assert worst > 20, "the ordinary picture would have done as well"


def test_a_window_around_a_box_holds_it_and_stops_at_the_pole():
    window = EpipolarWindow.around((1.2, -0.2, 1.56, 0.3), 1e-3, margin=40)
    assert window.laterals().max() < math.pi / 2 and window.elevations().max() > 0.3 and window.elevations().min() < -0.2
    for wrong in ((0, 0, 1e-3, 0, 5), (0, 0, 0.0, 5, 5), (1.5, 0, 1e-3, 400, 5)):
        with pytest.raises(ValueError, match="window"):
            EpipolarWindow(*wrong)
