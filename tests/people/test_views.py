"""One person in both eyes, against what was painted."""

import dataclasses

import numpy as np
import pytest

from tests.people.painted import EYE, SIDE, VIEWS, Painted, Segmenter, eyes
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.tracklet import Tracklet
from vr180_ofx.people.views import ViewObserver

ANNA, BEN = Painted(1, -0.4), Painted(3, 0.5)


@pytest.fixture
def both():
    return ViewObserver(Observer(Segmenter(), EYE), VIEWS, PLAN)


def known(both, person, number=1, views=VIEWS, n=0):
    """A tracklet of somebody who is seen in these views."""
    found = {v: both.observer.observe(eyes([person])[v], person.body(v)) for v in views}
    return Tracklet(number, n).with_observations(n, found, "found", PLAN.same)


def near(observation, person, view):
    return observation.body.angle_to(person.body(view)) < 0.03


def test_somebody_is_followed_in_both_eyes(both):
    found = both.observe(known(both, ANNA), eyes([ANNA.moved(0.05), BEN]))
    assert set(found) == set(VIEWS) and all(near(found[v], ANNA.moved(0.05), v) for v in VIEWS)


def test_the_other_eye_is_told_where_to_look(both):
    """Known in the left eye alone: the right one looks where the size says."""
    found = both.observe(known(both, ANNA, views=("left",)), eyes([ANNA, BEN]))
    assert set(found) == set(VIEWS) and near(found["right"], ANNA, "right")
    found = both.observe(known(both, ANNA, views=("right",)), eyes([ANNA, BEN]))
    assert near(found["left"], ANNA, "left")


def test_whom_one_eye_does_not_show_the_other_keeps(both):
    pictures = {"left": eyes([ANNA])["left"], "right": eyes([])["right"]}
    assert set(both.observe(known(both, ANNA), pictures)) == {"left"}


def test_the_eye_that_jumped_is_corrected_by_the_other(both):
    """Ben stands in the way in the right eye's picture of Anna; she is not taken for him."""
    anna = known(both, ANNA)
    wrong = dataclasses.replace(anna, bodies={"left": anna.bodies["left"], "right": ANNA.moved(0.25).body("right")})
    pictures = {"left": eyes([ANNA])["left"], "right": eyes([ANNA, dataclasses.replace(BEN, longitude=-0.13)])["right"]}
    found = both.observe(wrong, pictures)
    assert near(found["left"], ANNA, "left") and near(found["right"], ANNA, "right")


def test_at_the_edge_there_is_no_other_eye(both):
    far = Painted(1, 1.5, disparity=0.0)
    t = dataclasses.replace(Tracklet(1, 0), disparity=-0.6)
    assert both.transferred(t, far.body(), "left", eyes([far])["right"]) is None


def test_whoever_goes_behind_somebody_is_seen_without_them(both):
    child, man = Painted(1, 0.07, -0.2, 0.3), Painted(3, 0.0, -0.1, 0.4, 0.08)
    pictures = eyes([child, man])
    front, back = known(both, man, 2), known(both, child, 1)
    masks = {v: {2: front.masks[v]} for v in VIEWS}
    found, occluders = both.observe_occluded(back, pictures, masks, {}, {2})
    assert set(found) == set(VIEWS) and occluders == {v: frozenset({2}) for v in VIEWS}
    assert not any((found[v].mask & front.masks[v]).any() for v in VIEWS)
    # of whom nothing is known, nobody is hidden by
    assert both.observe_occluded(back, pictures, masks, {}, set()) == ({}, {})
    # and nobody is there who is not
    assert both.observe_occluded(back, eyes([man]), masks, {}, {2})[0] == {}


def test_whoever_is_beside_somebody_is_not_behind_them(both):
    """Near, but nothing of the middle of the body is hidden."""
    front, back = Painted(3, -0.22, disparity=0.0), Painted(1, 0.05, disparity=0.0)
    t = known(both, back)
    masks = {v: {2: known(both, front).masks[v]} for v in VIEWS}
    found, occluders = both.observe_occluded(t, eyes([back, front]), masks, {}, {2})
    assert set(found) == set(VIEWS) and occluders == {v: frozenset() for v in VIEWS}


def test_a_counterpart_is_new_or_known(both):
    pictures = eyes([ANNA, BEN])
    t = Tracklet(9, 0)
    there = both.counterpart(t, ANNA.body(), "left", pictures, masks={}, others=())
    assert near(there.observation, ANNA, "right") and there.known is None and there.occluders == frozenset()
    anna, ben = known(both, ANNA, 4, ("right",)), known(both, BEN, 5, ("right",))
    masks = {4: anna.masks["right"], 5: ben.masks["right"]}
    again = both.counterpart(t, ANNA.body(), "left", pictures, masks=masks, others=(anna, ben))
    assert again.known is anna
    nobody = both.counterpart(t, Painted(1, 0.1).body(), "left", pictures, masks={}, others=())
    assert nobody.observation is None and nobody.known is None


def test_a_distance_needs_both_eyes(both):
    t = known(both, ANNA)
    found = both.observe(t, eyes([ANNA]))
    match = both.distance(eyes([ANNA]), found)
    # for somebody straight ahead at the horizon the shift is the tangent of the disparity; here it is not far from it
    # to a pixel of so small a picture
    assert match.likeness > 0.5 and match.shift == pytest.approx(ANNA.disparity / 0.92, abs=np.pi / SIDE)
    assert both.distance(eyes([ANNA]), {"left": found["left"]}) is None


def test_one_eye_alone():
    mono = ViewObserver(Observer(Segmenter(), EYE), ("left",), PLAN)
    t = known(mono, ANNA, views=("left",))
    assert set(mono.observe(t, eyes([ANNA], ("left",)))) == {"left"}
