"""A body on the sphere of one eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.vr180.body import Body, blend, body_from_box, body_from_directions, expected_disparity
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
