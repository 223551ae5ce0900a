"""How far away people are: one look at both eyes of the demo clip, and what a plan keeps of many."""

import json
import math

import cv2
import numpy as np
import pytest

from tests.stereo.scenes import DEMO
from vr180_ofx.errors import PlanError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.distance import Match, levelled, smooth_shifts, whole_shift
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import angles, upright
from vr180_ofx.vr180.layout import LEFT


def test_the_distance_of_people_from_one_look():
    """Within a pixel of what the depth map says (a 1024 pixel eye), and the same for a picture that is much darker."""
    truth = Truth(DEMO / "truth")
    with open_clip(DEMO / "walk3d.mp4") as clip:
        frame = next(truth.frames())
        eyes, counterpart = clip.frame(0).eyes, truth.counterpart(frame)
        assert counterpart is not None
        places, known = counterpart
        projection = truth.projection
        for person, alpha in frame.people["right"].items():
            inside = (alpha > 0.5) & known
            ys, xs = np.nonzero(inside)
            tangents = [np.tan(angles(projection.unproject(p))[:, 0]) for p in (places[inside], np.stack([xs + 0.5, ys + 0.5], axis=-1))]
            elevations = angles(projection.unproject(np.stack([xs + 0.5, ys + 0.5], axis=-1)))[:, 1]
            real = float(np.median((tangents[0] - tangents[1]) / np.cos(elevations)))
            small = cv2.resize(inside.astype(np.uint8), (256, 256)) > 0
            ly, lx = np.nonzero(frame.people["left"][person] > 0.5)
            about = projection.unproject(np.array([np.median(lx), np.median(ly)]))
            found = whole_shift(eyes["left"], eyes["right"], about, small, projection)
            assert found is not None and abs(found.shift - real) * projection.width / math.pi < 1 and found.likeness > 0.9
    assert whole_shift(eyes["left"], eyes["right"], about, np.zeros((256, 256), bool), projection) is None


def test_distances_without_outliers():
    matches = {n: Match(0.03 + 0.0001 * n, 0.9, (0, 0, 1)) for n in range(40)}
    matches |= {n: Match(0.2, 0.95, (0, 0, 1)) for n in range(15, 20)} | {n: Match(0.5, 0.3, (0, 0, 1)) for n in range(25, 30)}
    kept = smooth_shifts(matches, 5)
    assert kept and all(abs(s - (0.03 + 0.0001 * n)) < 1e-4 for n, s in kept.items()) and not set(kept) & set(range(15, 20))
    assert smooth_shifts({}, 5) == {}


def test_distances_are_those_of_parallel_cameras():
    turn = Alignment(0.004, 0.012, -0.008)
    point = np.array([0.5, 0.3, 1.6])
    half = np.array([0.032, 0, 0])
    right, left = point - half, point + half

    def shift(left):
        a, b = angles(left), angles(right)
        return float((np.tan(a[0]) - np.tan(b[0])) / upright(1.0, b[1]))

    measured = Match(shift(turn.to_eye(left, LEFT)), 1.0, tuple(right / np.linalg.norm(right)))
    assert abs(measured.shift - shift(left)) > 0.008
    assert levelled(measured, turn).shift == pytest.approx(shift(left), abs=2e-4)
    assert levelled(measured, LEVEL) is measured


def test_plans_know_distances(painted_out):
    clip, plan, _ = painted_out
    first, second = plan.people
    assert plan.distance_m(first, 4) == pytest.approx(plan.distance_m(first, 0), rel=0.1)
    assert {round(plan.distance_m(p, 0), 1) for p in (first, second)} == {1.2, 1.9}
    again = Plan.from_data(json.loads(plan.to_json()), clip)
    assert again.facts(4) == plan.facts(4) and again.people[0].shifts == pytest.approx(first.shifts, rel=1e-4)
    data = json.loads(plan.to_json())
    data["people"][0]["distance_m"] = [[0, 3.0]]
    assert Plan.from_data(data, clip).facts(4) != plan.facts(4)
    for wrong in ([[0, 0]], [[99, 2.0]], [["a", 2]], [3]):
        data["people"][0]["distance_m"] = wrong
        with pytest.raises(PlanError, match="distance_m"):
            Plan.from_data(data, clip)
