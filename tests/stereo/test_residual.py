"""Cameras that are turned against each other: measured from points that both see."""

from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest

from tests.stereo.damaged import TURN, damaged_clip, turned
from tests.stereo.scenes import DEMO
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.people.plan import Plan
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.residual import fit, observe
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Equirectangular, Fisheye

SIZE = 512


@pytest.fixture(scope="module")
def eyes():
    with open_clip(DEMO / "walk3d.mp4") as clip:
        frame = clip.frame(0)
        whole = Rect(0, 0, frame.eyes[LEFT].width, frame.eyes[LEFT].height)
        return {view: cv2.resize(eye.region(whole), (SIZE, SIZE), interpolation=cv2.INTER_AREA) for view, eye in frame.eyes.items()}


def image(pixels):
    return RgbEye(np.clip(pixels, 0, 1), (0, 0), pixels.shape[1], pixels.shape[0])


def degrees(alignment):
    return [math.degrees(v) for v in (alignment.pitch, alignment.yaw, alignment.roll)]


@pytest.mark.parametrize("turn", [(0, 0, 0), (0.4, 0, 0), (0, -1.2, 0), (0, 0, 0.6), (-0.3, 0.5, -0.8)])
def test_turns_of_all_kinds_are_measured_to_a_twentieth_of_a_degree(eyes, turn):
    seen = observe(image(turned(eyes[LEFT], *turn)), image(eyes[RIGHT]), Equirectangular(SIZE, SIZE))
    assert len(seen) > 200
    found = fit([seen])
    assert degrees(found) == pytest.approx(turn, abs=0.05)
    # what is not there is not corrected
    assert [v == 0 for v in degrees(found)] == [v == 0 for v in turn]


def test_little_evidence_is_no_evidence(eyes):
    projection = Equirectangular(SIZE, SIZE)
    flat = image(np.full((SIZE, SIZE, 3), 0.5, np.float32))
    assert len(observe(flat, flat, projection)) == 0 and fit([]) == LEVEL and fit([np.zeros((0, 3))]) == LEVEL
    noise = np.random.default_rng(0)
    other = image(noise.random((SIZE, SIZE, 3)).astype(np.float32))
    assert fit([observe(image(eyes[LEFT]), other, projection)]) == LEVEL
    # a small turn among a lot of noise
    points = np.stack([noise.uniform(-1, 1, 300), noise.uniform(-1, 1, 300), noise.normal(0.001, 0.02, 300)], axis=-1)
    assert fit([points]) == LEVEL
    # the same points again and again are no more evidence than once
    weak = np.stack([noise.uniform(-1, 1, 300), noise.uniform(-1, 1, 300), noise.normal(math.radians(0.06), 0.008, 300)], axis=-1)
    assert fit([weak]) == fit([weak] * 50) == LEVEL


def test_the_same_points_of_a_fisheye(eyes):
    """A picture that does not reach everywhere is searched as far as it does."""
    fisheye = Fisheye(SIZE, SIZE, 100)
    grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
    places = np.nan_to_num(Equirectangular(SIZE, SIZE).project(fisheye.unproject(grid)) - 0.5, nan=-9).astype(np.float32)
    seen = {v: cv2.remap(p, places, None, cv2.INTER_LINEAR) for v, p in ((LEFT, turned(eyes[LEFT], 0.6)), (RIGHT, eyes[RIGHT]))}
    found = fit([observe(image(seen[LEFT]), image(seen[RIGHT]), fisheye)])
    assert degrees(found) == pytest.approx([0.6, 0, 0], abs=0.1)


def test_levelling_and_back():
    turn = Alignment(0.01, -0.02, 0.03)
    rays = np.random.default_rng(1).normal(size=(20, 3))
    assert turn.to_level(turn.to_eye(rays, LEFT), LEFT) == pytest.approx(rays)
    assert turn.to_eye(rays, RIGHT) is rays
    projection = turn.projection(Equirectangular(64, 64), LEFT)
    ahead = np.array([0, 0, 1.0])
    x, y = projection.project(ahead)
    # higher, and further to the left
    assert y < 32 and x < 32 and projection.unproject(projection.project(ahead)) == pytest.approx(ahead)
    # clockwise: what is on the right sinks
    assert Alignment(roll=0.1).to_eye(np.array([1.0, 0, 0]), LEFT)[1] < 0
    assert Alignment(math.radians(0.5), 0, math.radians(-0.25)).describe() == "0.50° higher, 0.25° turned counterclockwise"


def test_cameras_that_are_turned_against_each_other(tmp_path):
    """That is measured, said, and taken out wherever eyes are compared; distances are those of parallel cameras."""
    path = damaged_clip(DEMO / "walk3d.mp4", DEMO / "truth", tmp_path / "walk_LR_180.mp4", "turned", "left", range(8), length=8)
    with open_clip(path) as clip:
        plan = analyse(clip)
        found = plan.clip["alignment_degrees"]
        assert found == pytest.approx(TURN, abs=0.04)
        assert any("sees everything 0.5" in n and "turned clockwise" in n for n in plan.notes)
        assert {round(m, 1) for p in plan.people if (m := plan.distance_m(p, 0)) is not None} == {1.2, 1.9} and len(plan.people) == 2
        again = Plan.from_data(json.loads(plan.to_json()), clip)
        assert again.alignment == plan.alignment
        data = json.loads(plan.to_json())
        data["clip"]["alignment_degrees"] = {}
        level = Plan.from_data(data, clip)
        agreements, errors = [], []
        for some in (plan, level):
            with FrameServer(clip, some, Settings(stereo={"consistency_mode": "joint"})) as server:
                frame = server.request(3).result()
            agreements.append(min(frame.metadata["agreement"].values()))
            # the left matte, turned as the camera was, and the right one, both against the truth
            real = next(f for n, f in enumerate(Truth(DEMO / "truth").frames()) if n == 3)
            left, right = (frame.views[v].alpha.astype(np.float32) for v in ("left", "right"))
            errors.append(metrics.mad(left, turned(real.union("left"), **TURN).clip(0, 1)) + metrics.mad(right, real.union("right")))
        assert agreements[0] > 0.9 and agreements[0] > agreements[1] + 0.02, agreements
        assert errors[0] < errors[1], errors
        for wrong in ("much", {"pitch": 50}, {"tilt": 0.1}):
            data["clip"]["alignment_degrees"] = wrong
            with pytest.raises(PlanError, match="alignment_degrees"):
                Plan.from_data(data, clip)
