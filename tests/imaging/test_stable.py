"""Parts of pictures around places, by colour alone."""

import numpy as np
import pytest

from vr180_ofx.imaging.stable import stable_part

SIDE, POINT = 80, (30.0, 40.0)


def disc(x, y, radius):
    ys, xs = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.hypot(xs - x, ys - y) <= radius


ROOM, NOTHING = disc(*POINT, 36), np.zeros((SIDE, SIDE), bool)
THING = disc(32, 40, 14)


def picture(step, shading=0.0):
    """CIE L*a*b*: a round thing before a plain wall, with grain, and shaded from left to right."""
    rng = np.random.default_rng(3)
    out = np.full((SIDE, SIDE, 3), (70.0, 0.0, 0.0))
    out[THING] -= (step, 0, 0)
    out[..., 0] += np.linspace(0, shading, SIDE)
    return (out + rng.normal(0, 0.5, out.shape)).astype(np.float32)


def iou(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


@pytest.mark.parametrize(("step", "shading"), [(12, 0), (25, 0), (25, 10)])
def test_it_ends_at_edges_whatever_their_height(step, shading):
    found = stable_part(picture(step, shading), POINT, ROOM, NOTHING, 2)
    assert found is not None and iou(found, THING) > 0.9


def test_without_an_edge_it_fills_the_room_and_says_nothing_else():
    found = stable_part(picture(0), POINT, ROOM, NOTHING, 2)
    assert found is None or iou(found, ROOM) > 0.9


def test_it_ends_before_what_it_may_not_have_and_at_what_is_not_in_the_room():
    left = np.zeros((SIDE, SIDE), bool)
    left[:, :34] = True
    found = stable_part(picture(25), POINT, ROOM & left, NOTHING, 2)
    assert found is not None and not (found & ~left).any() and iou(found, THING & left) > 0.9
    # a place right beside, of the same colour
    assert stable_part(picture(25), POINT, ROOM, disc(34, 40, 2), 2) is None
    # and one on the wall is never reached
    found = stable_part(picture(25), POINT, ROOM, disc(10, 40, 2), 2)
    assert found is not None and iou(found, THING) > 0.9
    assert stable_part(picture(25), POINT, NOTHING, NOTHING, 2) is None
