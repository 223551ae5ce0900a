"""One person or two: tracklets whose people are known by how they are dressed."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import shared_clip
from tests.people.dressed import dressed, look
from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.identity import apart, told_apart
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Tracklet
from vr180_ofx.vr180.body import Body

P = PLAN.change
ANNA, BEN, CY = ((0.4, 0.05, 0.05), (0.05, 0.06, 0.2)), ((0.05, 0.3, 0.1), (0.5, 0.5, 0.45)), ((0.03, 0.03, 0.03), (0.5, 0.4, 0.1))
STRIDE, GAP = 2, 18.0


def seen_as(who, rng):
    """Somebody with the noise of a camera, and in folds that move."""
    folds = np.exp(rng.normal(0, 0.08, (1, 96, 1)))
    return look(np.clip(dressed(*who) * folds * np.exp(rng.normal(0, 0.1, (96, 96, 1))), 0.001, 1))


def tracklet(number, who, *, longitude=0.0, views=("left",), occluders=()):
    """who: frame -> who is seen then."""
    rng = np.random.default_rng(number)
    entries = {
        v: {n: Entry(Body(longitude, -0.1, 0.4), (10, 20, 30, 60), 0.9, "tracked", occluders, seen_as(p, rng)) for n, p in who.items()}
        for v in views
    }
    return Tracklet(number, min(who), entries=entries, hits=3, best_score=0.9)


def stretch(who, first, last):
    return dict.fromkeys(range(first, last + 1, STRIDE), who)


def told(*people):
    return told_apart(people, stride=STRIDE, gap=GAP, p=P)


def frames(t, view="left"):
    return sorted(n for n, e in t.entries[view].items() if e.source != "held")


def test_one_person_stays_one_also_out_of_sight_and_beside_others():
    anna = tracklet(1, stretch(ANNA, 0, 20) | stretch(ANNA, 40, 60))
    ben = tracklet(2, stretch(BEN, 0, 60), longitude=0.1)
    assert told(anna, ben) == [anna, ben]


def test_who_comes_where_somebody_left_is_somebody_else():
    """Each is held where they were seen, up to the middle of what was taken for presence."""
    one, two = told(tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 30, 50)))
    assert frames(one) == list(range(0, 21, 2)) and frames(two) == list(range(30, 51, 2))
    assert (one.id, two.id, two.taken_for, two.born) == (1, 2, 1, 30) and one.taken_for is None
    assert [(n, e.source) for n, e in one.entries["left"].items() if e.source == "held"] == [(24, "held")]
    assert [(n, e.source) for n, e in two.entries["left"].items() if e.source == "held"] == [(25, "held")]
    assert not one.doubts and not two.doubts
    one, two = told(tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 60, 80)))
    assert max(one.entries["left"]) == 20 and min(two.entries["left"]) == 60


def test_who_is_alone_and_in_sight_is_never_split_but_named():
    """Lights and clothes change; whoever looks like somebody else all at once is worth a look all the same."""
    t = tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 22, 50))
    (made,) = told(t)
    assert made.doubts == (Doubt(21),) and made.entries == t.entries


def test_too_few_frames_are_named_not_split():
    (made,) = told(tracklet(1, stretch(ANNA, 0, 2) | stretch(BEN, 14, 50)))
    assert made.doubts == (Doubt(8),)
    assert told(tracklet(1, stretch(ANNA, 0, 0) | stretch(BEN, 14, 50)))[0].doubts == ()


def test_two_who_changed_numbers_behind_each_other_change_them_back():
    one = tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 28, 60))
    two = tracklet(2, stretch(BEN, 0, 20) | stretch(ANNA, 28, 60), longitude=0.1)
    a, b = told(one, two)
    assert (a.id, b.id) == (1, 2) and not a.doubts and not b.doubts
    for t, n in ((a, 10), (a, 50), (b, 10), (b, 50)):
        expected = (one, two)[t.id - 1] if n < 25 else (two, one)[t.id - 1]
        assert t.entries["left"][n] == expected.entries["left"][n]


def test_somebody_who_comes_back_is_who_they_were():
    a, b = told(tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 28, 48) | stretch(ANNA, 56, 80)))
    assert frames(a) == [*range(0, 21, 2), *range(56, 81, 2)] and frames(b) == list(range(28, 49, 2))
    assert (a.taken_for, b.taken_for) == (None, 1)


def test_whoever_stands_before_somebody_has_the_number_of_then():
    cy = tracklet(3, stretch(CY, 0, 50), longitude=0.9, occluders=(1,))
    made = told(tracklet(1, stretch(ANNA, 0, 20) | stretch(BEN, 30, 50)), cy)
    behind = {n: e.occluders for n, e in next(t for t in made if t.id == 3).entries["left"].items()}
    assert behind[10] == (1,) and behind[40] == (4,)


def test_eyes_that_show_two_people_are_named():
    rng = np.random.default_rng(5)
    t = tracklet(1, stretch(ANNA, 0, 30), views=("left", "right"))
    assert told(t) == [t]
    right = {n: replace(e, look=seen_as(BEN, rng)) if n >= 10 else e for n, e in t.entries["right"].items()}
    (made,) = told(replace(t, entries={**t.entries, "right": right}))
    assert [d for d in made.doubts if d.why == "eyes"] == [Doubt(10, "eyes")]


def test_people_without_looks_are_left_alone():
    t = tracklet(1, stretch(ANNA, 0, 30))
    bare = replace(t, entries={"left": {n: replace(e, look=None) for n, e in t.entries["left"].items()}})
    assert told(bare, tracklet(2, stretch(BEN, 0, 0), longitude=1.0))[0] == bare
    assert told() == []


def test_evidence_is_in_units_of_how_looks_of_one_person_vary():
    rng = np.random.default_rng(1)
    anna, other = ([seen_as(who, rng) for _ in range(6)] for who in (ANNA, BEN))
    clear = apart(anna, other, P)
    assert clear > P.sure > P.unsure > apart(anna, [seen_as(ANNA, rng) for _ in range(6)], P)
    # the more both vary, the less it says
    wild = [seen_as((ANNA, CY)[k % 2], rng) for k in range(6)]
    assert apart(wild, other, P) < clear
    assert apart(anna, other, replace(P, common=1.1)) == 0


def test_a_quarter_of_an_hour_takes_seconds():
    base = [seen_as(ANNA, np.random.default_rng(k)) for k in range(8)]
    entries = {n: Entry(Body(0.0, -0.1, 0.4), (10, 20, 30, 60), 0.9, look=base[n % 8]) for n in range(10_800)}
    start = time.perf_counter()
    told(Tracklet(1, 0, entries={"left": entries}))
    assert time.perf_counter() - start < 30


@pytest.mark.slow
def test_the_children_of_duo_are_three_people_or_named():
    """Two children and a man; the boy hides as the girl comes, between frames 6 and 12. Encoded truth: the plate itself."""
    from vr180_ofx.engine.plans import analyse
    from vr180_ofx.media.open import open_clip

    with open_clip(shared_clip("vr180/duo_2k/clip.mp4")) as clip:
        plan = analyse(clip)
    doubts = [(p.name, d) for p in plan.people for d in p.doubts]
    if len(plan.people) == 2:
        ((name, doubt),) = doubts
        assert name == plan.people[1].name and doubt.why == "looks" and 7 <= doubt.frame <= 12
        assert plan.doubts(1, "duo.plan.json") == [
            f"{name} may be two people from frame {doubt.frame + 1} on: vr180-ofx edit duo.plan.json split {name} --at {doubt.frame + 1}; "
            f"if it is one: confirm {name}"
        ]
    else:
        assert len(plan.people) == 3 and not doubts


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vr180/walk3d_2k/clip.mp4", "flat/05_default_juggle.mp4", "flat/06_pingpong.mp4", "flat/bedroom.mp4"])
def test_nobody_else_is_doubted(name):
    from vr180_ofx.engine.plans import analyse
    from vr180_ofx.media.open import open_clip

    with open_clip(shared_clip(name)) as clip:
        plan = analyse(clip)
    assert len(plan.people) == (1 if "05" in name or "06" in name else 2) and plan.doubts(1) == [] and plan.notes == ()
