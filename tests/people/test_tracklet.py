"""Somebody in a shot, as a value."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.people.observe import Observation
from vr180_ofx.people.parameters import ConfirmParameters, SamePersonParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Tracklet, in_other_eye, moved, same_person, steady
from vr180_ofx.stereo.distance import Match
from vr180_ofx.vr180.body import Body, expected_disparity

SAME = SamePersonParameters()


def seen(longitude=0.0, latitude=-0.1, reach=0.4, presence=0.9, mask=None):
    box = (10.0, 20.0, 30.0, 60.0)
    return Observation(Body(longitude, latitude, reach), box, presence, np.ones((4, 4), bool) if mask is None else mask)


def test_a_tracklet_with_an_observation_is_another_one():
    before = Tracklet(3, 10)
    after = before.with_observations(12, {"left": seen(0.1)}, "found", SAME)
    assert before.entries == {} and before.bodies == {} and before.last_seen == 10
    assert after.last_seen == 12 and after.bodies["left"].longitude == 0.1
    assert after.entries == {"left": {12: Entry(seen(0.1).body, seen().box, 0.9, "found")}}
    more = after.with_observations(14, {"left": seen(0.2), "right": seen(0.15)}, "tracked", SAME)
    assert sorted(more.entries["left"]) == [12, 14] and sorted(after.entries["left"]) == [12]
    assert more.disparity == pytest.approx(0.05) and after.disparity is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.hits = 3  # type: ignore[misc]


def test_the_disparity_is_a_running_mean():
    t = Tracklet(1, 0)
    for n, apart in enumerate((0.05, 0.08)):
        t = t.with_observations(n, {"left": seen(0.3), "right": seen(0.3 - apart)}, "tracked", SAME)
    assert t.disparity == pytest.approx(0.7 * 0.05 + 0.3 * 0.08)
    # across the back of the sphere, too
    t = Tracklet(1, 0).with_observations(0, {"left": seen(-math.pi + 0.01), "right": seen(math.pi - 0.02)}, "tracked", SAME)
    assert t.disparity == pytest.approx(0.03)
    assert t.forgetting_distance().disparity is None


def test_whoever_stands_before_them_is_written_down():
    t = Tracklet(1, 0).with_occluders({"left": frozenset({7, 2})}).with_observations(4, {"left": seen(), "right": seen()}, "tracked", SAME)
    assert t.entries["left"][4].occluders == (2, 7) and t.entries["right"][4].occluders == ()
    assert t.ever_occluded and not t.always_occluded
    assert t.with_occluders({}) is t and t.with_occluders({"left": frozenset()}).occluders["left"] == frozenset()


def test_hits_and_scores():
    t = Tracklet(1, 0).with_hit(0.8).with_hit(0.6).with_score(0.9)
    assert (t.hits, t.best_score) == (2, 0.9)


def test_what_is_found_of_the_past_adds_and_replaces_nothing():
    match, other = Match(0.02, 0.9, (0, 0, 1)), Match(0.03, 0.9, (0, 0, 1))
    t = Tracklet(1, 8).with_observations(8, {"left": seen(0.8)}, "found", SAME).with_match(8, match).with_match(9, None)
    past = t.from_here(8)
    assert past.entries == {} and past.bodies == t.bodies and past.matches == {}
    for n in (8, 6, 4):
        past = past.with_observations(n, {"left": seen(n / 10), "right": seen(n / 20)}, "tracked", SAME).with_match(n, other)
    whole = t.with_past(past)
    assert sorted(whole.entries["left"]) == [4, 6, 8] and sorted(whole.entries["right"]) == [4, 6, 8]
    assert whole.entries["left"][8].source == "found" and whole.matches == {4: other, 6: other, 8: match}
    assert sorted(t.entries["left"]) == [8] and whole.bodies == t.bodies


@given(st.floats(-1, 1), st.floats(0.1, 1.0), st.none() | st.floats(0.0, 0.1))
def test_the_other_eye_and_back(longitude, reach, disparity):
    body = Body(longitude, 0.0, reach)
    angle = disparity if disparity is not None else expected_disparity(body)
    right = in_other_eye(body, disparity, to_the_right=True)
    assert right.longitude == pytest.approx(longitude - angle)
    assert in_other_eye(right, angle, to_the_right=False).longitude == pytest.approx(longitude)


def test_both_eyes_see_one_body_at_one_height_of_one_size_and_at_a_distance():
    left = Body(0.1, -0.1, 0.4)
    t = Tracklet(1, 0)
    assert t.plausible(left, Body(0.05, -0.1, 0.42), SAME)
    for wrong in (Body(0.05, 0.0, 0.4), Body(0.05, -0.1, 0.2), Body(0.2, -0.1, 0.4), Body(-0.3, -0.1, 0.4)):
        assert not t.plausible(left, wrong, SAME), wrong
    # a distance that is known does not change at once
    assert not dataclasses.replace(t, disparity=0.2).plausible(left, Body(0.05, -0.1, 0.4), SAME)


def test_steadiness():
    before = Body(0.0, -0.1, 0.4)
    assert steady(before, seen(0.1), SAME)
    for wrong in (seen(0.21), seen(presence=0.4), seen(reach=0.2), seen(reach=0.7)):
        assert not steady(before, wrong, SAME), wrong
    assert moved(Body(0.0, 0.0, 0.2), Body(0.1, 0.0, 0.4)) == pytest.approx(0.5)


def test_masks_of_one_person():
    whole = np.zeros((10, 10), bool)
    whole[2:8, 2:8] = True
    part, beside = whole.copy(), np.zeros((10, 10), bool)
    part[4:] = False
    beside[2:8, 7:10] = True
    assert same_person(whole, whole, SAME) and same_person(part, whole, SAME) and same_person(whole, part, SAME)
    assert not same_person(beside, whole, SAME) and same_person(beside, whole, SamePersonParameters(contained=0.2))


def person(frames, hits=2, score=0.9, views=("left", "right"), occluders=()):
    entry = Entry(Body(0, 0, 0.4), (0.0, 0.0, 9.0, 9.0), 0.9, occluders=occluders)
    return Tracklet(1, frames[0], entries={v: dict.fromkeys(frames, entry) for v in views}, hits=hits, best_score=score)


def agreed(who, *shares):
    """With what a second network said of their first entries."""
    own = {n: dataclasses.replace(e, agreed=share) for (n, e), share in zip(who.entries["left"].items(), shares, strict=False)}
    return dataclasses.replace(who, entries={**who.entries, "left": {**who.entries["left"], **own}})


@pytest.mark.parametrize(
    ("who", "believed"),
    [
        (person(range(0, 200, 2)), True),
        (person(range(0, 200, 2), score=0.6), False),
        (person(range(0, 200, 2), hits=1), False),
        # one look is enough where there was no other chance
        (person(range(120, 128, 2), hits=1), False),
        (person(range(192, 200, 2), hits=1), True),
        # a glimpse: in the middle, at the end with a good score, at the end with a fair one
        (person(range(100, 106, 2)), False),
        (person(range(194, 200, 2), score=0.85), True),
        (person(range(194, 200, 2), score=0.75), False),
        # behind others: a lower score, but seen twice or by both eyes
        (person(range(0, 200, 2), score=0.55, occluders=(2,)), True),
        (person(range(192, 200, 2), hits=1, occluders=(2,)), True),
        (person(range(192, 200, 2), hits=1, views=("left",), occluders=(2,)), False),
        (Tracklet(1, 0, hits=9, best_score=1.0), False),
        # another network's word, in the median of all looks in which it was asked
        (agreed(person(range(0, 200, 2)), 0.6, 0.6, 0.1), True),
        (agreed(person(range(0, 200, 2)), 0.6, 0.1, 0.1), False),
        (agreed(person(range(0, 200, 2)), 0.9, None, None), True),
        # it confirms whom the detector saw but once, but not what one eye alone saw behind others
        (agreed(person(range(0, 200, 2), hits=1), 0.6), True),
        (agreed(person(range(0, 200, 2), hits=0), 0.9), False),
        (agreed(person(range(0, 200, 2), hits=1, views=("left",), occluders=(2,)), 0.9), False),
    ],
)
def test_who_is_a_person(who, believed):
    asked = dict(first=0, last=199, fps=24.0, searches=range(0, 200, 8), threshold=0.7, occluded_threshold=0.5)
    assert who.is_person(**asked, parameters=ConfirmParameters()) is believed


def test_a_tracklet_shows_no_pixels():
    t = Tracklet(1, 4).with_observations(4, {"left": seen()}, "found", SAME)
    assert repr(t) == "Tracklet(1, from frame 4, entries: 1 in left, 0 hits)"
