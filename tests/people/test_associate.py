"""Who is who: functions of states that were written down by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people.painted import eye
from vr180_ofx.people.associate import (
    PastFrame,
    ShotState,
    confirmed,
    known_as,
    occluded_as,
    reidentified,
    without_doubles,
)
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.observe import Observation
from vr180_ofx.people.parameters import AssociateParameters, SamePersonParameters
from vr180_ofx.people.tracklet import Tracklet
from vr180_ofx.vr180.body import Body

P, SAME = AssociateParameters(), SamePersonParameters()
FPS = 24.0


def mask(x0, x1, y0=0, y1=8):
    m = np.zeros((8, 64), bool)
    m[y0:y1, x0:x1] = True
    return m


def seen(longitude=0.0, reach=0.4, covers=None):
    return Observation(Body(longitude, -0.1, reach), (0.0, 0.0, 9.0, 9.0), 0.9, mask(0, 8) if covers is None else covers)


def known(number, longitude=0.0, n=10, view="left", covers=None, **more):
    return dataclasses.replace(Tracklet(number, n).with_observations(n, {view: seen(longitude, covers=covers)}, "tracked", SAME), **more)


def state_of(*tracklets, **more):
    return ShotState(max((t.id for t in tracklets), default=0) + 1, tracklets, **more)


def candidate(longitude, score=0.9, reach=0.4):
    return Candidate(Body(longitude, -0.1, reach), score)


def number(somebody):
    return None if somebody is None else somebody.id


def test_a_state_is_a_value():
    empty = ShotState(5)
    one = empty.at(3).with_tracklet(Tracklet(5, 3))
    assert (empty.first, empty.tracklets, empty.next_id) == (-1, (), 5)
    assert (one.first, one.last, [t.id for t in one.tracklets], one.next_id) == (3, 3, [5], 6)
    hit = one.at(7).with_tracklet(one[5].with_hit(0.8))
    assert (one[5].hits, hit[5].hits, hit.first, hit.last, hit.next_id) == (0, 1, 3, 7, 6)
    assert hit.with_search(7).with_search(7).searched == (7, 7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.next_id = 9  # type: ignore[misc]
    assert "pixels" not in repr(hit) and repr(hit).startswith("ShotState(frames 3 to 7, [Tracklet(5")


def test_the_last_frames_are_remembered_with_whoever_was_seen_in_them():
    state = state_of(known(1, n=10), known(2, n=8))
    for n in (10, 12, 14):
        state = state.with_frame(n, {"left": None}, history=2)
    assert [f.n for f in state.past] == [12, 14] and state.past[0].masks == {}
    state = state_of(known(1, n=10), known(2, n=8)).with_frame(10, {"left": None}, history=2)
    assert list(state.past[0].masks) == [1]
    late = state.with_past_masks(10, known(3, n=10))
    assert list(late.past[0].masks) == [1, 3] and list(state.past[0].masks) == [1]
    assert state.with_past_masks(9, known(3, n=9)) is state and ShotState(1).with_past_masks(0, known(1)).past == ()


def test_a_past_frame_keeps_what_it_knows():
    frame = PastFrame(4, {"left": eye([]), "right": eye([])}, {1: {"left": mask(0, 8)}})
    more = frame.with_masks(1, {"left": mask(20, 30), "right": mask(1, 9)}).with_masks(2, {"left": mask(40, 50)})
    assert np.array_equal(more.masks[1]["left"], mask(0, 8)) and np.array_equal(more.masks[1]["right"], mask(1, 9))
    assert list(frame.masks[1]) == ["left"]
    assert {view: list(m) for view, m in more.without(1).items()} == {"left": [2], "right": []}
    assert repr(more) == "PastFrame(4, people [1, 2])"


def test_who_was_seen_when():
    state = state_of(known(1, n=10), known(2, n=8), known(3, n=10, view="right"))
    assert list(state.masks(10, "left")) == [1] and list(state.masks(10, "right")) == [3]
    assert [t.id for t in state.there(80, lost=71)] == [1, 3] and [t.id for t in state.there(80, lost=72)] == [1, 2, 3]


def test_a_find_is_of_the_nearest_of_like_size_who_is_seen_in_this_frame():
    state = state_of(known(1, 0.0), known(2, 0.15), known(3, 0.12, n=9))
    assert number(known_as(state, candidate(0.13), "left", 10, P)) == 2
    assert number(known_as(state, candidate(0.05), "left", 10, P)) == 1
    # too far, in another eye, in another frame, of another size
    assert known_as(state, candidate(0.5), "left", 10, P) is None
    assert known_as(state, candidate(0.13), "right", 10, P) is None and known_as(state, candidate(0.13), "left", 11, P) is None
    assert known_as(state, candidate(0.13, reach=0.1), "left", 10, P) is None


def test_a_search_confirms_each_of_them_once():
    state = state_of(known(1, 0.0), known(2, 0.5))
    after = confirmed(state, [candidate(0.0, 0.8), candidate(0.02, 0.95), candidate(2.0, 0.99)], "left", 10, P)
    assert [(t.hits, t.best_score) for t in after.tracklets] == [(1, 0.95), (0, 0.0)]
    assert [t.hits for t in state.tracklets] == [0, 0]


def test_whoever_hides_is_seen_again_by_their_mask():
    hidden = known(1, covers=mask(0, 10), occluders={"left": frozenset({2})})
    state = state_of(hidden, known(2, covers=mask(0, 10)))
    assert [t.id for t in occluded_as(state, seen(covers=mask(2, 10)), "left", 10, 0.4)] == [1]
    assert occluded_as(state, seen(covers=mask(8, 20)), "left", 10, 0.4) == ()
    assert occluded_as(state, seen(covers=mask(0, 10)), "left", 11, 0.4) == ()


def test_the_longer_out_of_sight_the_further_they_may_have_gone():
    state = state_of(known(1, 0.0, n=10))
    # 0.6 of a reach at once, and 0.8 of it more each second
    assert (
        number(reidentified(state, seen(0.24), "left", 11, fps=FPS, p=P)) == 1
        and reidentified(state, seen(0.27), "left", 11, fps=FPS, p=P) is None
    )
    assert (
        number(reidentified(state, seen(0.5), "left", 34, fps=FPS, p=P)) == 1
        and reidentified(state, seen(0.6), "left", 34, fps=FPS, p=P) is None
    )
    assert (
        number(reidentified(state, seen(0.0), "left", 10 + 72, fps=FPS, p=P)) == 1
        and reidentified(state, seen(0.0), "left", 10 + 73, fps=FPS, p=P) is None
    )
    # nobody returns who is in sight, in an eye that never saw them, or as a child
    assert (
        reidentified(state, seen(0.0), "left", 10, fps=FPS, p=P) is None
        and reidentified(state, seen(0.0), "right", 12, fps=FPS, p=P) is None
    )
    assert reidentified(state, seen(0.0, reach=0.2), "left", 12, fps=FPS, p=P) is None
    nearer = state_of(known(1, 0.0, n=10), known(2, 0.2, n=10))
    assert number(reidentified(nearer, seen(0.15), "left", 12, fps=FPS, p=P)) == 2


def doubles(*people):
    """people: (tracklet, the mask that is found of them now)."""
    looks = {t.id: {"left": seen(covers=m)} for t, m in people}
    left = without_doubles([t for t, _ in people], looks, ("left",), p=P, same=SAME)
    assert all(list(found) == ["left"] for found in looks.values())
    return [i for i, found in left.items() if found]


def test_of_two_whose_masks_become_one_that_one_stays_whose_mask_it_was():
    anna, ben = known(1, covers=mask(0, 10)), known(2, covers=mask(20, 30))
    assert doubles((anna, mask(0, 10)), (ben, mask(20, 30))) == [1, 2]
    assert doubles((anna, mask(19, 30)), (ben, mask(20, 30))) == [2]
    assert doubles((anna, mask(0, 10)), (ben, mask(1, 11))) == [1]
    # a part of the other's mask
    assert doubles((anna, mask(0, 10)), (ben, mask(0, 10, 0, 3))) == [1]
    # as like as not: who was confirmed more often
    assert doubles((known(1, covers=mask(0, 10), hits=1), mask(5, 15)), (known(2, covers=mask(10, 20), hits=4), mask(5, 15))) == [2]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(4, 14), st.integers(0, 12)), min_size=1, max_size=5))
def test_no_two_masks_that_are_left_are_one(spans):
    people = [(known(k + 1, covers=mask(x, x + w), hits=h), mask(x, x + w)) for k, (x, w, h) in enumerate(spans)]
    left = doubles(*people)
    assert left
    kept = [m for t, m in people if t.id in left]
    for i, a in enumerate(kept):
        for b in kept[i + 1 :]:
            both, either = (a & b).sum(), (a | b).sum()
            assert both / either < 0.6 and both / min(a.sum(), b.sum()) < 0.75 + 1e-9
