"""Both eyes' mattes agree, where before they did not; and nothing else changes."""

import cv2
import numpy as np
import pytest

import vr180_ofx as vr
from tests.stereo.test_disparity import DEMO, B, ball
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.quality import metrics
from vr180_ofx.quality.evaluate import _stereo
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.disparity import measure
from vr180_ofx.stereo.reconcile import counterpart, join
from vr180_ofx.vr180.projection import Equirectangular

SIZE = 512
PROJECTION = Equirectangular(SIZE, SIZE)


def patch(alpha, confidence=1.0):
    ys, xs = np.nonzero(alpha > 0)
    rect = Rect(int(xs.min()) - 2, int(ys.min()) - 2, int(xs.max()) + 3, int(ys.max()) + 3)
    return Patch(rect, alpha[rect.slices].astype(np.float32), np.full(alpha[rect.slices].shape, confidence, np.float32))


def whole(one):
    out = np.zeros((SIZE, SIZE), np.float32)
    out[one.rect.slices] = one.alpha
    return out


@pytest.fixture(scope="module")
def scene():
    """view -> (eye, alpha, distance)."""
    out = {}
    for view, eye in (("left", -1), ("right", 1)):
        picture, alpha, distance = ball(eye, SIZE)
        out[view] = RgbEye(picture, (0, 0), SIZE, SIZE), alpha, distance
    return out


def carried_difference(left, right, distance):
    """Between the right matte and the left one, looked up by the true geometry."""
    ys, xs = np.nonzero(distance > 0)
    rays = PROJECTION.unproject(np.stack([xs + 0.5, ys + 0.5], axis=-1))
    seen = PROJECTION.project(rays * distance[ys, xs, None] + np.array([B, 0, 0])).astype(np.float32) - 0.5
    return float(np.abs(cv2.remap(left, seen[None, :, 0], seen[None, :, 1], cv2.INTER_LINEAR)[0] - right[ys, xs]).mean())


def test_one_eye_that_is_softer_is_softer_no_more(scene):
    (left, alpha_left, _), (right, alpha_right, distance) = scene["left"], scene["right"]
    soft = cv2.GaussianBlur(alpha_right, (0, 0), 4)
    before = carried_difference(alpha_left, soft, distance)
    agreed = join(left, right, patch(alpha_left), patch(soft), PROJECTION)
    after = carried_difference(whole(agreed.left), whole(agreed.right), distance)
    assert agreed.used and 0.8 < agreed.overlap < 1 and after < before / 3, (before, after)


def test_the_eye_that_is_sure_decides(scene):
    """A hole in a matte whose confidence is low there is filled by the other eye; the sure one keeps what it has."""
    (left, alpha_left, _), (right, alpha_right, _) = scene["left"], scene["right"]
    ys, xs = np.nonzero(alpha_right > 0.5)
    y, x = int(ys.mean()), int(xs.mean())
    holed = alpha_right.copy()
    holed[y - 10 : y + 10, x - 10 : x + 10] = 0
    broken = patch(holed)
    broken.confidence[whole(broken)[broken.rect.slices] < 0.5] = 0.0
    agreed = join(left, right, patch(alpha_left), broken, PROJECTION)
    assert whole(agreed.right)[y - 8 : y + 8, x - 8 : x + 8].min() > 0.9
    assert whole(agreed.left)[alpha_left > 0.5].mean() > 0.98


def test_what_is_more_than_an_edge_stays_each_eyes_own_when_that_is_asked_for(scene):
    (left, alpha_left, _), (right, alpha_right, distance) = scene["left"], scene["right"]
    holed = cv2.GaussianBlur(alpha_right, (0, 0), 3)
    ys, xs = np.nonzero(alpha_right > 0.5)
    y, x = int(ys.mean()), int(xs.mean())
    holed[y - 10 : y + 10, x - 10 : x + 10] = 0
    for edges_only in (False, True):
        agreed = join(left, right, patch(alpha_left), patch(holed), PROJECTION, edges_only=edges_only)
        hole = whole(agreed.right)[y - 6 : y + 6, x - 6 : x + 6]
        assert (hole.max() < 0.1) == edges_only
        # the soft edge is shared in either case
        edge = (distance > 0) & (holed > 0.5) & (holed < 0.9)
        assert np.abs(whole(agreed.right) - alpha_right)[edge].mean() < 0.8 * np.abs(holed - alpha_right)[edge].mean()


def test_there_and_back_is_the_same_place(scene):
    (left, alpha_left, _), (right, alpha_right, _) = scene["left"], scene["right"]
    found = measure(left, right, patch(alpha_left), patch(alpha_right), PROJECTION)
    ys, xs = np.nonzero(cv2.erode(alpha_right, np.ones((15, 15))) > 0.5)
    rect = Rect(int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max()))
    there = counterpart(rect, found, PROJECTION, True)
    around = Rect(int(there[..., 0].min()) - 1, rect.y0 - 4, int(there[..., 0].max()) + 2, rect.y1 + 4)
    back = counterpart(around, found, PROJECTION, False)
    p = (there - np.array([around.x0 + 0.5, around.y0 + 0.5])).astype(np.float32)
    returned = np.stack([cv2.remap(back[..., k].astype(np.float32), p, None, cv2.INTER_LINEAR) for k in (0, 1)], axis=-1)
    inside = cv2.erode(alpha_right, np.ones((15, 15)))[rect.slices] > 0.5
    here = np.stack(np.meshgrid(np.arange(rect.x0, rect.x1) + 0.5, np.arange(rect.y0, rect.y1) + 0.5), axis=-1)
    assert np.abs(returned - here)[inside].max() < 0.1


def test_who_cannot_be_measured_stays_as_they_are(scene):
    (left, alpha_left, _), (_, alpha_right, _) = scene["left"], scene["right"]
    grey = RgbEye(np.full((SIZE, SIZE, 3), 128, np.uint8), (0, 0), SIZE, SIZE)
    rng = np.random.default_rng(1)
    noise = RgbEye(rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8), (0, 0), SIZE, SIZE)
    a, b = patch(alpha_left), patch(alpha_right)
    agreed = join(noise, grey, a, b, PROJECTION)
    assert not agreed.used and agreed.left is a and agreed.right is b
    assert left.width == SIZE


@pytest.mark.slow
def test_the_stereo_error_of_real_mattes_falls():
    """Against the true geometry of the demo clip; the overlap with the truth stays what it is, and any order gives the same bits."""
    truth = Truth(DEMO / "truth")
    frames = {n: f for n, f in enumerate(truth.frames()) if n in (4, 16)}
    scores, bits = {}, {}
    for mode in ("independent", "joint"):
        settings = vr.Settings(stereo={"consistency_mode": mode})
        clip = vr.open_clip(DEMO / "walk3d.mp4", settings)
        plan = find_plan(clip, settings)
        rows = []
        with vr.FrameServer(clip, plan, settings) as server:
            for n in (16, 4):
                frame = server.request(n).result()
                views = {v: {"": frame.views[v].alpha} for v in frame.views}
                error, floor = _stereo(truth, frames[n], views)
                rows.append((error - floor, np.mean([metrics.iou(views[v][""], frames[n].union(v)) for v in views])))
                bits[mode, n] = views
            server.clear_cache()
            again = server.request(4).result()
            assert all(np.array_equal(again.views[v].alpha, bits[mode, 4][v][""]) for v in again.views)
            if mode == "joint":
                assert min(again.metadata["agreement"].values()) > 0.8 and len(again.metadata["agreement"]) == 2
        clip.close()
        scores[mode] = np.mean(rows, axis=0)
    # what is above the error that the truth itself has
    assert scores["joint"][0] < 0.65 * scores["independent"][0], scores
    assert scores["joint"][1] > scores["independent"][1] - 0.003, scores
