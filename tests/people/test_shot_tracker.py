"""People of a shot, found, followed, lost and found again: against what was painted."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.people.painted import EYE, VIEWS, Detector, Opinion, Painted, Segmenter, colours, eyes
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.detect import detect_people
from vr180_ofx.people.identity import told_apart
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.shot_tracker import ShotTracker

ANNA, BEN = Painted(1, -0.4), Painted(3, 0.5)
HAT = Painted(4, ANNA.longitude, ANNA.latitude + ANNA.height, 0.08, 0.12)
FPS = 24.0


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(2) as made:
        yield made


class Shot:
    """A tracker that is fed with painted frames; every other one is searched in both eyes when asked for."""

    def __init__(self, pool, views=VIEWS, detector=None, threshold=0.7, opinion=None):
        self.pool, self.views, self.detector = pool, views, detector or Detector()
        self.tracker = ShotTracker(Observer(Segmenter(), EYE, opinion=opinion), views, FPS, threshold=threshold, executor=pool)

    def frame(self, n, people, search=(), hidden=False):
        pictures = eyes(people, self.views)
        self.tracker.step(n, pictures)
        for view in search:
            found = detect_people(pictures[view], EYE, self.detector, levels=(0, 1), threshold=0.5, executor=self.pool)
            self.tracker.associate(n, pictures, view, found)
        for view in search if hidden else ():
            self.tracker.detect_occluded(n, pictures, view, Detector(), EYE)
        return self

    @property
    def all(self):
        return self.tracker.state.tracklets


def errors(tracklet, where, view):
    """How far entries are from the truth, in reaches. where: frame -> who they are there."""
    return [e.body.angle_to(where(n).body(view)) / e.body.reach for n, e in tracklet.entries[view].items()]


def test_who_is_nobody_to_a_second_network_is_nobody(pool):
    """However sure the first ones are; and without a second one they are believed."""
    people, unasked, asked = [ANNA, BEN], Shot(pool), Shot(pool, opinion=Opinion(blind=[BEN.colour]))
    for n in range(0, 24, 2):
        for shot in (unasked, asked):
            shot.frame(n, people, search=VIEWS if n % 8 == 0 else ())
    assert len(unasked.tracker.people()) == 2
    (left,) = asked.tracker.people()
    assert errors(left, lambda n: ANNA, "left")[0] < 0.1
    # at the first looks of both eyes, six in all; no search after that was announced
    agreed = {n: e.agreed for n, e in left.entries["left"].items()}
    assert [n for n, share in agreed.items() if share is not None] == [0, 2, 4]
    assert [agreed[n] for n in (0, 2, 4)] == pytest.approx([1] * 3, abs=0.1)
    asked.tracker.step(24, eyes(people), ask=True)
    assert asked.tracker.state[left.id].entries["left"][24].agreed == pytest.approx(1, abs=0.1)


def test_nobody_joins_behind_others_whom_a_second_network_does_not_see(pool):
    behind, before = Painted(1, 0.0, height=0.45, width=0.3), Painted(3, 0.1, height=0.35, width=0.12)
    for blind, count in (((), 2), ((behind.colour,), 1)):
        shot = Shot(pool, detector=Detector(blind=[behind.colour]), opinion=Opinion(blind))
        for n in range(0, 16, 2):
            shot.frame(n, [behind, before], search=VIEWS, hidden=True)
        assert len(shot.all) == count


def test_two_people_are_followed_in_both_eyes(pool):
    shot = Shot(pool)

    def anna(n):
        return ANNA.moved(0.01 * n)

    for n in range(0, 24, 2):
        shot.frame(n, [anna(n), BEN], search=("left",) if n % 8 == 0 else ())
    one, two = sorted(shot.all, key=lambda t: t.bodies["left"].longitude)
    assert [t.id for t in shot.all] == [1, 2] and {t.hits for t in shot.all} == {4 - 1}
    for view in VIEWS:
        assert sorted(one.entries[view]) == sorted(two.entries[view]) == list(range(0, 24, 2))
        assert max(errors(one, anna, view)) < 0.1 and max(errors(two, lambda n: BEN, view)) < 0.1
    assert one.disparity == pytest.approx(ANNA.disparity, abs=0.01)
    assert [t.id for t in shot.tracker.people()] == [1, 2]
    assert one.entries["left"][0].source == "found" and one.entries["left"][2].source == "tracked"


def test_nothing_of_a_state_changes_afterwards(pool):
    shot = Shot(pool).frame(0, [ANNA], search=VIEWS)
    before, kept = shot.tracker.state, shot.tracker.state[1]
    entries = {view: dict(e) for view, e in kept.entries.items()}
    for n in range(2, 12, 2):
        shot.frame(n, [ANNA.moved(0.01 * n), BEN], search=VIEWS)
    assert len(shot.all) == 2 and shot.tracker.state[1].hits > kept.hits
    assert before.tracklets == (kept,) and before.last == 0 and before.next_id == 2
    assert {view: dict(e) for view, e in kept.entries.items()} == entries and kept.last_seen == 0


def test_a_shot_seen_twice_is_the_same(pool):
    def run():
        shot = Shot(pool)
        for n in range(0, 12, 2):
            shot.frame(n, [ANNA.moved(0.01 * n), BEN], search=VIEWS if n % 4 == 0 else (), hidden=n == 4)
        return [(t.id, t.hits, t.entries, t.matches) for t in shot.all]

    assert run() == run()


def test_whoever_was_out_of_sight_keeps_their_number(pool):
    shot = Shot(pool)
    for n in range(0, 8, 2):
        shot.frame(n, [ANNA], search=("left",) if n == 0 else ())
    for n in range(8, 20, 2):
        shot.frame(n, [], search=("left",) if n == 12 else ())
    for n in range(20, 30, 2):
        shot.frame(n, [ANNA.moved(0.15)], search=("left",) if n == 20 else ())
    (anna,) = shot.all
    assert sorted(anna.entries["left"]) == [0, 2, 4, 6, 20, 22, 24, 26, 28] == sorted(anna.entries["right"])


def test_after_three_seconds_they_are_somebody_else(pool):
    shot = Shot(pool).frame(0, [ANNA], search=("left",))
    for n in range(2, 74, 8):
        shot.frame(n, [])
    shot.frame(74, [ANNA], search=("left",))
    assert [t.id for t in shot.all] == [1, 2]


def test_a_newcomer_is_followed_back_to_where_they_came_from(pool):
    """Found at frame 16, in sight since frame 4."""
    shot = Shot(pool)

    def anna(n):
        return ANNA.moved(0.01 * n)

    for n in range(0, 18, 2):
        shot.frame(n, [BEN, anna(n)] if n >= 4 else [BEN], search=("left",) if n in (0, 16) else ())
    found = next(t for t in shot.all if t.born == 16)
    for view in VIEWS:
        assert sorted(found.entries[view]) == [4, 6, 8, 10, 12, 14, 16]
        assert max(errors(found, anna, view)) < 0.1
    # the frames that are at hand know of them now
    assert all(found.id in f.masks for f in shot.tracker.state.past if f.n >= 4)


def test_somebody_behind_somebody_is_found_in_both_eyes(pool):
    """The detector is blind for the child until the man is taken out of the picture."""
    child, man = Painted(1, 0.09, -0.2, 0.3, 0.13), Painted(3, 0.0, -0.1, 0.42, 0.1)
    shot = Shot(pool, detector=Detector(blind=(1,)))
    for n in range(0, 12, 2):
        shot.frame(n, [child, man], search=("left",) if n % 4 == 0 else (), hidden=True)
    front, back = shot.all
    assert (front.id, back.id) == (1, 2) and not front.ever_occluded
    for view in VIEWS:
        assert sorted(back.entries[view]) == list(range(0, 12, 2))
        assert all(e.occluders == (1,) for e in back.entries[view].values())
        assert back.bodies[view].angle_to(child.body(view)) < 0.3 * child.body().reach
    assert [t.id for t in shot.tracker.people()] == [1, 2] and back.hits == 3


def test_nobody_is_found_behind_somebody_where_nobody_is(pool):
    shot = Shot(pool)
    for n in range(0, 6, 2):
        shot.frame(n, [Painted(3, 0.0, -0.1, 0.42, 0.1)], search=VIEWS, hidden=True)
    assert [t.id for t in shot.all] == [1]
    # and where nobody is known, nobody is taken out
    assert Shot(pool).frame(0, [], search=VIEWS, hidden=True).all == ()


def test_who_is_not_sure_enough_does_not_join_and_is_confirmed_all_the_same(pool):
    """One guess of 0.6 is too little, two of the same person are enough; and whoever joined at a lower threshold is confirmed."""
    body, pictures = ANNA.body(), eyes([ANNA])
    guess, aside = Candidate(body, 0.6), Candidate(body.shifted(0.5 * body.reach), 0.6)
    for guesses, threshold, count in (([guess], 0.7, 0), ([guess, aside], 0.7, 1), ([guess], 0.5, 1)):
        shot = Shot(pool, threshold=threshold)
        shot.tracker.associate(0, pictures, "left", guesses)
        assert len(shot.all) == count
    shot.frame(2, [ANNA])
    shot.tracker.associate(2, pictures, "left", [guess])
    assert [(t.hits, t.best_score) for t in shot.all] == [(2, 0.6)]


def test_who_is_followed_the_wrong_way_round_is_seen_better_by_a_deep_search(pool):
    """The segmenter takes Anna for somebody upside down, with half a mask, as long as it looks at her that way round."""
    upside_down, hatted = dataclasses.replace(ANNA.body(), roll=math.pi), eyes([HAT, ANNA])
    tracker = ShotTracker(Observer(Stubborn(), EYE), ("left",), FPS, threshold=0.7, executor=pool)
    tracker.associate(0, hatted, "left", [Candidate(upside_down, 0.9)])
    tracker.step(2, hatted)
    (half,) = tracker.state.tracklets
    assert abs(half.bodies["left"].roll) == pytest.approx(math.pi, abs=0.1)
    for deep in (False, True):
        tracker.associate(2, hatted, "left", [Candidate(upside_down, 0.9), Candidate(ANNA.body(), 0.2)], deep=deep)
        if not deep:
            assert tracker.state.tracklets[0].masks["left"] is half.masks["left"]
    (whole,) = tracker.state.tracklets
    assert whole.bodies["left"].roll == pytest.approx(0, abs=0.1) and whole.entries["left"][2].body == whole.bodies["left"]
    assert whole.masks["left"].sum() > 1.5 * half.masks["left"].sum()


class Stubborn(Segmenter):
    """Whom it is shown with the hat below it takes for somebody upside down, of whom it sees what lies between the hat and the hips."""

    def segment(self, image):
        seen, hat = super().segment(image), np.nonzero(colours(image) == HAT.colour)[0]
        if not len(hat) or hat.mean() < seen.hips[1]:
            return seen
        rows = np.arange(self.size)[:, None]
        return dataclasses.replace(seen, logits=np.where(rows > seen.hips[1], seen.logits, np.float32(-9)))


def test_whom_each_eye_found_for_itself_is_one_person(pool):
    """The left eye knows Anna; the right one finds her by itself."""
    shot = Shot(pool).frame(0, [ANNA], search=("left", "right"))
    (anna,) = shot.all
    assert set(anna.entries) == set(VIEWS) and anna.hits == 2


def found_by(shot, n, pictures, view):
    """A search of one eye of pictures that need not agree with each other."""
    found = detect_people(pictures[view], EYE, shot.detector, levels=(0, 1), threshold=0.5, executor=shot.pool)
    shot.tracker.associate(n, pictures, view, found)


def test_whom_the_other_eye_knows_is_nobody_new(pool):
    """At first the left eye is covered; then both see Anna, and the left one finds her by itself."""
    shot = Shot(pool)
    covered, clear = eyes([]), eyes([ANNA])
    found_by(shot, 0, {"left": covered["left"], "right": clear["right"]}, "right")
    assert [sorted(t.entries) for t in shot.all] == [["right"]]
    found_by(shot, 0, clear, "left")
    assert [(t.id, sorted(t.entries), t.hits) for t in shot.all] == [(1, ["left", "right"], 2)]
    assert shot.all[0].disparity == pytest.approx(ANNA.disparity, abs=0.01)


def test_whom_this_eye_shows_already_is_nobody_elses_counterpart(pool):
    """Ben is to be seen in the left eye alone, close to Anna: hers is the only body that the right eye shows there."""
    anna, ben = Painted(1, 0.0), Painted(3, 0.25, disparity=0.0)
    pictures = {"left": eyes([anna, ben])["left"], "right": eyes([anna])["right"]}
    shot = Shot(pool)
    found_by(shot, 0, pictures, "left")
    one, two = sorted(shot.all, key=lambda t: t.bodies["left"].longitude)
    assert sorted(one.entries) == ["left", "right"] and sorted(two.entries) == ["left"]


def test_one_eye_alone(pool):
    shot = Shot(pool, views=("left",))
    for n in range(0, 12, 2):
        shot.frame(n, [ANNA.moved(0.01 * n), BEN], search=("left",) if n == 0 else (), hidden=True)
    assert [sorted(t.entries) for t in shot.all] == [["left"], ["left"]] and all(t.matches == {} for t in shot.all)


def test_without_a_pool_it_is_the_same(pool):
    made = []
    for executor in (None, pool):
        tracker = ShotTracker(Observer(Segmenter(), EYE), VIEWS, FPS, threshold=0.7, first_id=7, executor=executor)
        found = detect_people(eyes([ANNA])["left"], EYE, Detector(), levels=(0,), threshold=0.5, executor=pool)
        tracker.associate(0, eyes([ANNA]), "left", found)
        for n in (2, 4):
            tracker.step(n, eyes([ANNA.moved(0.01 * n)]))
        made.append([(t.id, t.entries) for t in tracker.state.tracklets])
    assert made[0] == made[1] and made[0][0][0] == 7


def test_who_comes_where_somebody_left_is_somebody_else(pool):
    """Ben stands where Anna stood half a second before: one tracklet, by place and size, and two people by their looks, in both eyes."""
    shot, cy = Shot(pool), Painted(2, 0.7)
    for n in range(0, 44, 2):
        who = [ANNA] if n < 16 else [] if n < 28 else [Painted(4, ANNA.longitude + 0.05)]
        shot.frame(n, [*who, cy], search=VIEWS if n % 4 == 0 else ())
    assert len(shot.all) == 2
    made = told_apart(shot.tracker.people(), stride=2, gap=0.75 * FPS, p=PLAN.change)
    anna, other, ben = sorted(made, key=lambda t: t.id)
    assert other.entries == shot.all[1].entries and ben.taken_for == anna.id and not any(t.doubts for t in made)
    for view in VIEWS:
        assert {n for n, e in anna.entries[view].items() if e.source != "held"} == set(range(0, 16, 2))
        assert {n for n, e in ben.entries[view].items() if e.source != "held"} == set(range(28, 44, 2))
