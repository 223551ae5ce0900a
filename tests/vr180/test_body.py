"""Bodies on the sphere, held against spherical geometry."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vr180_ofx.vr180.body import (
    WINDOW_REACHES,
    Body,
    blend,
    body_from_box,
    body_from_directions,
    bounds_in,
    box_iou,
    box_of,
    expected_disparity,
    outline,
)  # fmt: skip
from vr180_ofx.vr180.projection import Equirectangular

bodies = st.builds(Body, st.floats(-1.3, 1.3), st.floats(-1.2, 1.2), st.floats(0.05, 1.0), st.floats(-3, 3))


@given(bodies)
def test_hips_and_top_say_all_about_a_body(body):
    again = body_from_directions(np.array(body.direction), body.top())
    assert again.angle_to(body) < 1e-6 and again.reach == pytest.approx(body.reach, abs=1e-6)
    assert np.cos(again.roll - body.roll) == pytest.approx(1, abs=1e-6)


@given(bodies, bodies)
def test_blending_ends_at_its_ends(a, b):
    for t, end in ((0, a), (1, b)):
        mixed = blend(a, b, t)
        assert mixed.angle_to(end) < 1e-6 and mixed.reach == pytest.approx(end.reach)


def test_a_box_holds_its_body():
    projection = Equirectangular(1024, 1024)
    body = body_from_box((500, 500, 560, 700), projection)
    assert projection.project(np.array(body.direction)) == pytest.approx([530, 600])
    assert np.degrees(body.reach) == pytest.approx(100 / 1024 * 180 * 1.05, rel=0.02)


def test_near_people_have_more_disparity():
    near, far = (expected_disparity(Body(0, 0, r)) for r in (0.9, 0.1))
    assert near > 4 * far > 0


@given(bodies)
def test_a_window_reaches_beyond_the_body(body):
    """tan(fov / 4) is so many times that of half the reach, and the top of the circle lies straight above the middle."""
    window = body.window(200)
    reach = min(body.reach, math.pi / 2)
    assert math.tan(math.radians(window.fov_degrees / 4)) == pytest.approx(WINDOW_REACHES * math.tan(reach / 2))
    assert window.points(body.top()) == pytest.approx([100, 100 - 100 / WINDOW_REACHES], abs=1e-6)


@given(bodies, st.floats(-0.5, 0.5))
def test_the_angle_between_bodies_is_the_great_circle(body, turn):
    """Haversine formula, of points at one latitude."""
    other = body.shifted(turn)
    assert other.reach == body.reach and other.roll == body.roll
    haversine = math.cos(body.latitude) ** 2 * math.sin(turn / 2) ** 2
    assert body.angle_to(other) == pytest.approx(2 * math.asin(math.sqrt(haversine)), abs=1e-6)


@pytest.mark.parametrize("reach", [0.0, -1.0, float("nan")])
def test_a_body_without_reach_is_refused(reach):
    with pytest.raises(ValueError, match="reach is"):
        Body(0, 0, reach)


def test_a_box_outside_of_the_picture_is_refused():
    from vr180_ofx.vr180.projection import Fisheye

    with pytest.raises(ValueError, match=r"box \[0, 0, 10, 10\] lies outside"):
        body_from_box((0, 0, 10, 10), Fisheye(400, 400, 180))


@given(bodies)
def test_the_rectangle_of_a_body_holds_its_circle(body):
    assume(body.reach < 0.6 and abs(body.latitude) + body.reach < 1.2 and abs(body.longitude) + body.reach < 1.2)
    projection = Equirectangular(512, 512)
    x0, y0, x1, y1 = box_of(body, projection)
    x, y = projection.project(body.top())
    assert x0 <= x <= x1 and y0 <= y <= y1


def test_outlines_run_along_all_four_sides():
    points = outline((10, 20, 30, 60))
    assert points.shape == (36, 2)
    on = [(points[:, 0] == 10).sum(), (points[:, 0] == 30).sum(), (points[:, 1] == 20).sum(), (points[:, 1] == 60).sum()]
    assert min(on) >= 9 and np.ptp(points, axis=0).tolist() == [20, 40]


def test_bounds_are_cut_at_the_picture_and_nothing_is_none():
    projection = Equirectangular(180, 180)
    corners = projection.unproject(np.array([[20.0, 30.0], [50.0, 30.0], [50.0, 90.0]]))
    assert bounds_in(corners, projection) == pytest.approx((20, 30, 50, 90))
    assert bounds_in(corners[:1], projection) is None
    # what lies behind the camera lies beyond the picture's sides
    bounds = bounds_in(np.array([[0.2, 0.0, -1.0], [0.0, 0.3, 1.0]]), projection)
    assert bounds is not None and bounds[2] == 180


boxes = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


@given(boxes, boxes)
def test_overlaps_are_those_of_counted_pixels(a, b):
    def filled(box):
        mask = np.zeros((40, 40), bool)
        mask[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
        return mask

    p, q = filled(a), filled(b)
    found = box_iou(*((x, y, x + w, y + h) for x, y, w, h in (a, b)))
    assert found == pytest.approx((p & q).sum() / (p | q).sum())
