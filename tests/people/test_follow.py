"""Somebody who is pointed out: where the plan has them, before and after, in both eyes."""

import dataclasses
from typing import cast

import pytest

from tests.people.painted import EYE, SIDE, Painted, Segmenter, eye
from vr180_ofx.engine.models import Models
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.follow import follow_person
from vr180_ofx.people.parameters import FOLLOW
from vr180_ofx.settings import Settings


@pytest.fixture(scope="module")
def segmenter():
    return Models.of(Settings()).load_segmenter()


@pytest.mark.parametrize("view", ["left", "right"])
def test_they_are_followed_to_both_ends_and_into_the_other_eye(planned, segmenter, view):
    clip, plan = planned
    person = plan.people[0]
    found = follow_person(clip, plan.track(person, view).bodies[4], view, 4, (0, 9), segmenter=segmenter)
    assert set(found) == {"left", "right"} and 4 not in found[view]
    for v, entries in found.items():
        assert min(entries) <= 1 and max(entries) >= 8
        for n, entry in entries.items():
            known = plan.track(person, v).bodies[n]
            assert entry.source == "tracked" and entry.body.angle_to(known) < 0.15 * known.reach, (v, n)


def test_no_further_than_asked(planned, segmenter):
    clip, plan = planned
    found = follow_person(clip, plan.track(plan.people[0], "left").bodies[4], "left", 4, (4, 6), segmenter=segmenter)
    assert set(found["left"]) == {6} and set(found["right"]) == {4, 6}


def test_nobody_is_followed_nowhere(planned):
    """A network that sees painted people sees nobody here, and gives up after three looks to each side."""
    clip, plan = planned
    looked = []

    class Watched:
        def reopen(self, fast):
            return self

        def frame(self, n):
            looked.append(n)
            return clip.frame(n)

        def close(self):
            looked.append("closed")

        def __getattr__(self, name):
            return getattr(clip, name)

    body = plan.track(plan.people[0], "left").bodies[4]
    assert follow_person(cast(Clip, Watched()), body, "left", 4, (0, 9), segmenter=Segmenter()) == {}
    assert looked == [4, 6, 8, 4, 2, 0, "closed"]
    looked.clear()
    once = dataclasses.replace(FOLLOW, patience=1)
    assert follow_person(cast(Clip, Watched()), body, "left", 4, (0, 9), segmenter=Segmenter(), following=once) == {} and looked == [
        4,
        4,
        "closed",
    ]


def test_frames_that_cannot_be_decoded_are_passed_over(planned, segmenter):
    clip, plan = planned

    class Damaged:
        def reopen(self, fast):
            return self

        def frame(self, n):
            if n == 6:
                raise FrameError("clip", n, "damaged")
            return clip.frame(n)

        def close(self):
            pass

        def __getattr__(self, name):
            return getattr(clip, name)

        def __len__(self):
            return len(clip)

    found = follow_person(cast(Clip, Damaged()), plan.track(plan.people[0], "left").bodies[4], "left", 4, (4, 9), segmenter=segmenter)
    assert set(found["left"]) == {8}


class PaintedClip:
    """One flat eye at 12 frames a second: who is in each frame, by a function of its number."""

    projection, fps, views, eye_size = EYE, 12, ("left",), (SIDE, SIDE)

    def __init__(self, people):
        self._people = people

    def reopen(self, fast):
        return self

    def frame(self, n):
        return SourceFrame(n, n / 12, {"left": eye(self._people(n))})

    def close(self):
        pass


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        (dict.fromkeys(range(8, 13), 1), {8, 9, 10, 11, 12}),  # they come back
        (dict.fromkeys(range(8, 13), 4), set()),  # somebody of another colour comes to where they were
        ({8: 1}, set()),  # one look alone
    ],
)
def test_who_comes_back_is_them_when_they_look_like_it_twice(back, expected):
    them = Painted(1, 0.1)

    def people(n):
        if n < 6:
            return [them]
        return [dataclasses.replace(them, colour=back[n])] if n in back else []

    found = follow_person(cast(Clip, PaintedClip(people)), them.body(), "left", 0, (0, 12), segmenter=Segmenter())
    assert set(found["left"]) == {1, 2, 3, 4, 5} | expected
