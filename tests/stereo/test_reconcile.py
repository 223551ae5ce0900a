"""Both eyes' mattes agree, where before they did not; and nothing else changes."""

import cv2
import numpy as np
import pytest

import vr180_ofx as vr
from tests.stereo.scenes import DEMO, B, ball, in_eye, trimmed
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.quality import metrics
from vr180_ofx.quality.evaluate import _stereo
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.reconcile import join
from vr180_ofx.vr180.projection import Equirectangular

SIZE = 512
PROJECTION = Equirectangular(SIZE, SIZE)


def whole(patch):
    return in_eye(patch, SIZE)


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
    agreed = join(StereoPair(left, right, PROJECTION), trimmed(alpha_left), trimmed(soft))
    after = carried_difference(whole(agreed.left), whole(agreed.right), distance)
    assert agreed.used and 0.8 < agreed.overlap < 1 and after < before / 3, (before, after)


def test_the_eye_that_is_sure_decides(scene):
    """A hole in a matte whose confidence is low there is filled by the other eye; the sure one keeps what it has."""
    (left, alpha_left, _), (right, alpha_right, _) = scene["left"], scene["right"]
    ys, xs = np.nonzero(alpha_right > 0.5)
    y, x = int(ys.mean()), int(xs.mean())
    holed = alpha_right.copy()
    holed[y - 10 : y + 10, x - 10 : x + 10] = 0
    broken = trimmed(holed)
    broken.confidence[whole(broken)[broken.rect.slices] < 0.5] = 0.0
    agreed = join(StereoPair(left, right, PROJECTION), trimmed(alpha_left), broken)
    assert whole(agreed.right)[y - 8 : y + 8, x - 8 : x + 8].min() > 0.9
    assert whole(agreed.left)[alpha_left > 0.5].mean() > 0.98


def test_what_is_more_than_an_edge_stays_each_eyes_own_when_that_is_asked_for(scene):
    (left, alpha_left, _), (right, alpha_right, distance) = scene["left"], scene["right"]
    holed = cv2.GaussianBlur(alpha_right, (0, 0), 3)
    ys, xs = np.nonzero(alpha_right > 0.5)
    y, x = int(ys.mean()), int(xs.mean())
    holed[y - 10 : y + 10, x - 10 : x + 10] = 0
    for edges_only in (False, True):
        agreed = join(StereoPair(left, right, PROJECTION), trimmed(alpha_left), trimmed(holed), edges_only=edges_only)
        hole = whole(agreed.right)[y - 6 : y + 6, x - 6 : x + 6]
        assert (hole.max() < 0.1) == edges_only
        # the soft edge is shared in either case
        edge = (distance > 0) & (holed > 0.5) & (holed < 0.9)
        assert np.abs(whole(agreed.right) - alpha_right)[edge].mean() < 0.8 * np.abs(holed - alpha_right)[edge].mean()


def test_who_cannot_be_measured_stays_as_they_are(scene):
    (left, alpha_left, _), (_, alpha_right, _) = scene["left"], scene["right"]
    grey = RgbEye(np.full((SIZE, SIZE, 3), 128, np.uint8), (0, 0), SIZE, SIZE)
    rng = np.random.default_rng(1)
    noise = RgbEye(rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8), (0, 0), SIZE, SIZE)
    a, b = trimmed(alpha_left), trimmed(alpha_right)
    agreed = join(StereoPair(noise, grey, PROJECTION), a, b)
    assert not agreed.used and agreed.left is a and agreed.right is b
    assert left.width == SIZE


@pytest.mark.slow
def test_the_stereo_error_of_real_mattes_falls():
    """Against the true geometry of the demo clip; the overlap with the truth stays what it is, and any order gives the same bits."""
    truth = Truth(DEMO / "truth")
    frames = {n: f for n, f in enumerate(truth.frames()) if n in (4, 16)}
    scores: dict[str, np.ndarray] = {}
    bits = {}
    for mode in ("independent", "joint"):
        settings = vr.Settings(stereo={"consistency_mode": mode})
        clip = vr.open_clip(DEMO / "walk3d.mp4", settings)
        plan = find_plan(clip, settings)
        rows = []
        with vr.FrameServer(clip, plan, settings) as server:
            for n in (16, 4):
                frame = server.request(n).result()
                views = {v: {"": frame.views[v].alpha} for v in frame.views}
                measured = _stereo(truth, frames[n], views)
                assert measured is not None
                error, floor = measured
                rows.append((error - floor, float(np.mean([metrics.iou(views[v][""], frames[n].union(v)) for v in views]))))
                bits[mode, n] = views
            server.clear_cache()
            again = server.request(4).result()
            assert all(np.array_equal(again.views[v].alpha, bits[mode, 4][v][""]) for v in again.views)
            if mode == "joint":
                assert min(again.metadata["agreement"].values()) > 0.8 and len(again.metadata["agreement"]) == 2
        clip.close()
        scores[mode] = np.mean(np.array(rows), axis=0)
    # what is above the error that the truth itself has
    assert scores["joint"][0] < 0.65 * scores["independent"][0], scores
    assert scores["joint"][1] > scores["independent"][1] - 0.003, scores
