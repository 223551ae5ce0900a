"""Somebody whom the network loses behind somebody else, through the frames in between."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from tests.people.painted import EYE, SIDE, VIEWS, Painted, Segmenter, colours, eye
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.outlines import covered_by, outlines_of
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.carry import carry_person
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.outline import CARRIED, outline_from, polygons
from vr180_ofx.people.person import Entry
from vr180_ofx.vr180.body import box_of

#: Stands there, and the walker passes behind.
FRONT = Painted(4, 0.2, width=0.16, height=0.4)


def walker(n):
    return Painted(1, -0.3 + 0.02 * n)


class Walk:
    """Two eyes at 12 frames a second: somebody walks behind somebody. damaged: frames that cannot be decoded."""

    projection, fps, eye_size = EYE, 12, (SIDE, SIDE)

    def __init__(self, damaged=(), views=("left",)):
        self.damaged, self.views, self.asked = damaged, views, []

    def reopen(self, fast):
        return self

    def frame(self, n):
        self.asked.append(n)
        if n in self.damaged:
            raise FrameError("walk", n, "damaged")
        return SourceFrame(n, n / 12, {view: eye([walker(n), FRONT], view) for view in self.views})

    def close(self):
        self.asked.append("closed")


def truth(n, view="left"):
    return colours(eye([walker(n), FRONT], view).region(Rect.of_size(SIDE, SIDE))) == 1


def entry(n, view="left", source="tracked"):
    body = walker(n).body(view)
    return Entry(body, box_of(body, EYE), 0.9, source)


def carried(clip, views, within=(0, 40), **how):
    known = {"known": lambda n, view: {2: FRONT.body(view)}} | how
    return carry_person(cast(Clip, clip), views, within, segmenter=Segmenter(), **known)


def covers(made):
    return covered_by(polygons(made.outline), Rect.of_size(SIDE, SIDE)) > 0.5


def test_they_are_carried_behind_and_back_from_where_they_are_found_again():
    clip = Walk()
    found = {n: entry(n) for n in (*range(12), *range(40, 46))}
    made = carried(clip, {"left": found}, (0, 45))["left"]
    assert clip.asked[-1] == "closed"
    assert all(e.source == CARRIED and e.outline and 0 < e.score <= 1 for e in made.values())
    assert set(range(12, 14)) <= set(made) and set(range(38, 40)) <= set(made)
    for n, entry_of_n in made.items():
        # how sure it is says how good it is
        assert mask_iou(covers(entry_of_n), truth(n)) > max(0.5, entry_of_n.score - 0.15), n
        assert entry_of_n.body.angle_to(walker(n).body()) < 0.3 * entry_of_n.body.reach, n
    assert made[12].score > made[13].score and made[39].score > made[38].score
    # who stands right beside what is to be seen of him, to a pixel
    assert {(2,)} <= {made[n].occluders for n in (12, 13, 38, 39)} <= {(2,), ()}
    # and nobody where nothing of him is to be seen
    assert not any(np.count_nonzero(truth(n)) < 40 for n in made)


def test_each_eye_is_carried_by_itself():
    made = carried(Walk(views=VIEWS), {v: {n: entry(n, v) for n in range(12)} for v in VIEWS}, (0, 13))
    for view in VIEWS:
        assert set(made[view]) == {12, 13}
        assert mask_iou(covers(made[view][13]), truth(13, view)) > 0.55


def test_no_further_than_pictures_go_and_than_somebody_said():
    found = {"left": {n: entry(n) for n in range(12)}}
    assert set(carried(Walk(damaged=(13,)), found, (0, 20))["left"]) == {12}
    assert set(carried(Walk(), found, (0, 20), absent={"left": [(14, 18)]})["left"]) == {12, 13}
    assert set(carried(Walk(), found, (0, 13))["left"]) == {12, 13}
    # what was carried before says nothing
    assert carried(Walk(), {"left": {3: entry(3, source=CARRIED)}}) == {} and carried(Walk(), {"left": {}}) == {}


def test_looks_that_do_not_agree_before_the_loss_are_not_believed():
    """In frames 10 and 11 the network takes somebody beside him for him."""
    found = {n: entry(n) for n in range(10)} | {n: Entry(FRONT.body(), box_of(FRONT.body(), EYE), 0.9) for n in (10, 11)}
    made = carried(Walk(), {"left": found}, (0, 13), known=lambda n, view: {})["left"]
    assert set(made) == set(range(10, 14)) and mask_iou(covers(made[11]), truth(11)) > 0.6
    # what a person said is
    found[11] = Entry(FRONT.body(), box_of(FRONT.body(), EYE), 0.9, "edited")
    made = carried(Walk(), {"left": found}, (0, 16), known=lambda n, view: {})["left"]
    assert min(made) >= 12 and mask_iou(covers(made[13]), truth(13)) < 0.1


@pytest.mark.parametrize("step", [1, -1])
def test_from_an_outline_that_somebody_drew(step):
    """Where no network sees them, an outline of a person is what it begins with."""
    seen = truth(8)
    polygon = outline_from(outlines_of(seen, off=0.5, least=4))
    said = Entry(walker(8).body(), box_of(walker(8).body(), EYE), 1.0, "edited", outline=polygon)
    last = 8 + 2 * step
    made = carried(Walk(), {"left": {8: said}}, (min(8, last), max(8, last)))["left"]
    assert set(made) == {8 + k * step for k in (1, 2)} and mask_iou(covers(made[last]), truth(last)) > 0.7


def test_between_two_outlines_that_are_near_each_other_it_is_carried_from_both():
    """Not so between looks: there the network sees them."""

    def said(n):
        polygon = outline_from(outlines_of(truth(n), off=0.5, least=4))
        return Entry(walker(n).body(), box_of(walker(n).body(), EYE), 0.5, "edited", outline=polygon)

    made = carried(Walk(), {"left": {4: said(4), 8: said(8)}}, (4, 8))["left"]
    assert set(made) == {5, 6, 7} and all(mask_iou(covers(made[n]), truth(n)) > 0.7 for n in made)
    # no surer than what it was carried from
    assert all(0 < e.score <= 0.5 for e in made.values())
    assert carried(Walk(), {"left": {4: entry(4), 8: entry(8)}}, (4, 8)) == {}
