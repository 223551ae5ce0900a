"""Where one eye sees what the other one sees: a ball whose geometry is known."""

import cv2
import numpy as np
import pytest

from tests.stereo.scenes import EYES, PROJECTION, B, ball, trimmed
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.stereo.correspondence import counterpart, extent
from vr180_ofx.stereo.disparity import measure
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.vr180.layout import LEFT, RIGHT

SIZE = 512


@pytest.fixture(scope="module")
def scene():
    """(pair, measured disparity, view -> (alpha, distance along the ray))."""
    eyes, truth = {}, {}
    for view, eye in EYES.items():
        picture, alpha, distance = ball(eye, SIZE)
        eyes[view], truth[view] = RgbEye(picture, (0, 0), SIZE, SIZE), (alpha, distance)
    pair = StereoPair.of(eyes, PROJECTION)
    return pair, measure(pair, trimmed(truth[LEFT][0]), trimmed(truth[RIGHT][0])), truth


@pytest.mark.parametrize("to_left", [True, False])
def test_points_of_the_ball_lie_where_they_are(scene, to_left):
    pair, found, truth = scene
    view, step = (RIGHT, B) if to_left else (LEFT, -B)
    alpha, distance = truth[view]
    # the limb of the ball is seen by one eye alone
    inner = cv2.erode(alpha, np.ones((9, 9))) > 0.5
    ys, xs = np.nonzero(inner)
    rect = Rect(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    places = counterpart(pair, rect, found, to_left=to_left)
    rays = PROJECTION.unproject(np.stack([xs + 0.5, ys + 0.5], axis=-1))
    real = PROJECTION.project(rays * distance[ys, xs, None] + np.array([step, 0, 0]))
    error = np.linalg.norm(places[ys - rect.y0, xs - rect.x0] - real, axis=-1)
    assert np.median(error) < 0.15 and np.percentile(error, 95) < 0.6
    # and all of them lie within the extent of the rectangle
    there = extent(pair, rect, found, to_left=to_left)
    x, y = real[..., 0], real[..., 1]
    assert (x >= there.x0).all() and (x <= there.x1).all() and (y >= there.y0).all() and (y <= there.y1).all()
    assert there.width < rect.width + 24 and there.height < rect.height + 24


def test_there_and_back_is_the_same_place(scene):
    pair, found, truth = scene
    inner = cv2.erode(truth[RIGHT][0], np.ones((15, 15)))
    ys, xs = np.nonzero(inner > 0.5)
    rect = Rect(int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max()))
    there = counterpart(pair, rect, found, to_left=True)
    around = Rect(int(there[..., 0].min()) - 1, rect.y0 - 4, int(there[..., 0].max()) + 2, rect.y1 + 4)
    back = counterpart(pair, around, found, to_left=False)
    p = (there - np.array([around.x0 + 0.5, around.y0 + 0.5])).astype(np.float32)
    returned = np.stack([cv2.remap(back[..., k].astype(np.float32), p, None, cv2.INTER_LINEAR) for k in (0, 1)], axis=-1)
    here = np.stack(np.meshgrid(np.arange(rect.x0, rect.x1) + 0.5, np.arange(rect.y0, rect.y1) + 0.5), axis=-1)
    assert np.abs(returned - here)[inner[rect.slices] > 0.5].max() < 0.1
