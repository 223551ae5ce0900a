"""Windows over the whole field of view, and what they show of one person."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people.painted import EYE, Detector, Painted, eye
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.detect import detect_people, merge_detections, tiles
from vr180_ofx.people.parameters import DetectParameters
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Rectilinear


@pytest.mark.parametrize(
    "projection", [Equirectangular(512, 512), Fisheye(512, 512, 190), Rectilinear(640, 360)], ids=["equirect", "fisheye", "flat"]
)
def test_the_windows_leave_nothing_unseen(projection):
    """Every direction in the field of view, but the very poles, is in some window of the coarser levels."""
    xs, ys = np.meshgrid(np.linspace(8, projection.width - 8, 60), np.linspace(8, projection.height - 8, 60))
    d = projection.unproject(np.stack([xs, ys], -1).reshape(-1, 2))
    d = d[np.isfinite(d).all(-1)]
    d = d[np.abs(np.degrees(np.arcsin(d[:, 1]))) < 80]
    d = d[d[:, 2] > np.cos(np.radians(88))]
    seen = np.zeros(len(d), bool)
    for level in (0, 1):
        for w in tiles(projection, 224, level):
            p = w.points(d)
            with np.errstate(invalid="ignore"):
                seen |= ((p > 2) & (p < 222)).all(-1)
    assert seen.mean() > 0.995


def test_more_overlap_is_more_windows():
    sphere, flat = Equirectangular(512, 512), Rectilinear(640, 360)
    for picture in (sphere, flat):
        few, many = (sum(len(tiles(picture, 224, level, DetectParameters(overlap=o))) for level in (0, 1, 2)) for o in (0.3, 0.6))
        assert many > few
    assert {w.fov_degrees for w in tiles(sphere, 224, 1)} == {70.0} and {w.size for w in tiles(sphere, 96, 2)} == {96}


def test_everybody_is_found_and_nobody_else():
    people = [Painted(1, -0.9), Painted(2, 0.0, height=0.5), Painted(3, 0.8, 0.1, 0.25)]
    with ThreadPoolExecutor(2) as pool:
        found = detect_people(eye(people), EYE, Detector(), levels=(0, 1, 2), threshold=0.5, executor=pool)
        assert detect_people(eye(people), EYE, Detector(score=0.4), levels=(0, 1, 2), threshold=0.5, executor=pool) == []
    owners = []
    for c in found:
        away = [p.body().angle_to(c.body) for p in people]
        owners.append(people[away.index(min(away))])
    assert {p.colour for p in owners} == {1, 2, 3}
    for person, c in zip(owners, found, strict=True):
        assert c.body.angle_to(person.body()) < 0.5 * person.body().reach and 0.6 < c.body.reach / person.body().reach < 1.6


def test_detections_of_one_person_become_one():
    found = [
        Candidate(Body(0.1, 0, 0.5), 0.9),
        Candidate(Body(0.15, 0.02, 0.55), 0.8),
        Candidate(Body(0.5, 0, 0.5), 0.7),
        Candidate(Body(0.1, 0, 0.15), 0.6),
    ]
    merged = merge_detections(found)
    assert [c.score for c in merged] == [0.9, 0.7, 0.6]
    # weighted by their scores
    assert merged[0].body.longitude == pytest.approx((0.9 * 0.1 + 0.8 * 0.15) / 1.7)
    assert merge_detections([]) == [] and len(merge_detections(found, DetectParameters(same_reaches=0.01))) == 4


bodies = st.builds(Body, st.floats(-1, 1), st.floats(-0.5, 0.5), st.floats(0.1, 0.8))


@given(st.lists(st.builds(Candidate, bodies, st.floats(0.5, 1)), max_size=12))
def test_merged_detections_are_the_surest_first_and_none_is_lost(found):
    merged = merge_detections(found)
    scores = [c.score for c in merged]
    assert scores == sorted(scores, reverse=True) and set(scores) <= {c.score for c in found} and bool(merged) == bool(found)
    # everybody is near to, and no larger or smaller than, somebody who is left
    for c in found:
        assert any(c.body.angle_to(m.body) < 0.5 * c.body.reach and 0.4 < c.body.reach / m.body.reach < 2.6 for m in merged)
