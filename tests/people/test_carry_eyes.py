"""What was carried in both eyes is of one body: outlines are compared by the disparity, and the less sure eye follows the other."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from tests.people.painted import EYE, SIDE, VIEWS, Painted, Segmenter, colours, eye
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.outlines import covered_by, outlines_of
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.carry_eyes import agreed
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import ACROSS, CARRIED, outline_from, polygons
from vr180_ofx.people.person import Entry
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.vr180.body import box_of

THEM = Painted(1, 0.0, width=0.2, height=0.5)
FRONT = Painted(4, 0.2, width=0.2, height=0.6, disparity=0.05)
WHOLE = Rect.of_size(SIDE, SIDE)
CONSISTENCY = Consistency("reference_eye", 0.7, "transfer", "left")


class Still:
    """Two eyes that see the same in each frame. damaged: frames that cannot be decoded."""

    projection, fps, eye_size, views = EYE, 12, (SIDE, SIDE), VIEWS

    def __init__(self, damaged=(), views=VIEWS):
        self.damaged, self.views = damaged, views

    def reopen(self, fast):
        return self

    def frame(self, n):
        if n in self.damaged:
            raise FrameError("still", n, "damaged")
        return SourceFrame(n, n / 12, {view: eye([THEM, FRONT], view) for view in VIEWS})

    def close(self):
        pass


def seen(view):
    return colours(eye([THEM, FRONT], view).region(WHOLE)) == 1


def entry(view, score=0.8, mask=None, source=CARRIED):
    body = THEM.body(view)
    polygon = outline_from(outlines_of(seen(view) if mask is None else mask, off=0.5, least=4))
    return Entry(body, box_of(body, EYE), score, source, (2,), outline=polygon)


def held_against(views, clip=None, made=None, **how):
    rows = {v: own for v, own in views.items() if own}
    return agreed(
        cast(Clip, clip or Still()), rows, (0, 9), made=made or rows, observer=Observer(Segmenter(), EYE),
        known=lambda n, view: {2: FRONT.body(view)}, consistency=CONSISTENCY, **how,
    )  # fmt: skip


def covers(made):
    return covered_by(polygons(made.outline), WHOLE) > 0.5


def test_eyes_that_agree_stay_as_they_are():
    assert held_against({v: {3: entry(v)} for v in VIEWS}) == {}


@pytest.mark.parametrize(("have", "lack"), [VIEWS, VIEWS[::-1]])
def test_an_eye_that_lost_them_has_what_the_other_has_behind_whoever_is_in_front(have, lack):
    """As far away as both saw them in the nearest frame in which both had them; no surer than the other eye."""
    made = held_against({have: {3: entry(have), 4: entry(have, 0.7)}, lack: {3: entry(lack)}})
    assert set(made) == {lack} and set(made[lack]) == {4}
    brought = made[lack][4]
    assert brought.source == ACROSS and brought.score == 0.7 and brought.occluders == (2,)
    assert mask_iou(covers(brought), seen(lack)) > 0.8
    # what stands in front there is not theirs
    assert np.count_nonzero(covers(brought) & (colours(eye([THEM, FRONT], lack).region(WHOLE)) == 4)) < 0.05 * np.count_nonzero(seen(lack))
    # where it was never known how far away they are, nothing is brought; by the plan's word it is
    assert held_against({have: {4: entry(have)}}) == {}
    again = held_against({have: {4: entry(have)}}, shift_at=lambda n: 0.03)
    assert mask_iou(covers(again[lack][4]), seen(lack)) > 0.8


@pytest.mark.parametrize(("wrong", "right_one"), [VIEWS, VIEWS[::-1]])
def test_the_less_sure_eye_is_put_right_and_neither_is_surer_than_they_agreed(wrong, right_one):
    """One eye took the wall beside them for them."""
    elsewhere = np.zeros((SIDE, SIDE), bool)
    x0, y0, x1, y1 = (round(v) for v in box_of(THEM.body(wrong), EYE))
    elsewhere[y0:y1, x0 - (x1 - x0) // 2 : x0 + 4] = True
    made = held_against({right_one: {3: entry(right_one, 0.9)}, wrong: {3: entry(wrong, 0.6, elsewhere)}})
    assert made[wrong][3].source == ACROSS and mask_iou(covers(made[wrong][3]), seen(wrong)) > 0.8
    assert made[right_one][3].outline == entry(right_one).outline and made[right_one][3].score < 0.6
    assert made[wrong][3].score <= made[right_one][3].score


def test_what_the_network_sees_in_the_other_eye_is_compared_and_never_changed():
    look = Entry(THEM.body("right"), box_of(THEM.body("right"), EYE), 0.9, "tracked", (2,))
    assert held_against({"left": {3: entry("left")}, "right": {3: look}}, made={"left": [3]}) == {}
    elsewhere = np.roll(seen("left"), -30, axis=1)
    made = held_against({"left": {3: entry("left", 0.5, elsewhere)}, "right": {3: look}}, made={"left": [3]})
    assert set(made) == {"left"} and mask_iou(covers(made["left"][3]), seen("left")) > 0.8


def test_not_where_they_are_absent_nor_without_a_picture_nor_in_one_eye():
    views = {"left": {3: entry("left"), 4: entry("left")}, "right": {3: entry("right")}}
    assert held_against(views, absent={"right": [(4, 6)]}) == {}
    assert held_against(views, Still(damaged=(4,))) == {}
    assert held_against({"left": views["left"]}, Still(views=("left",)), shift_at=lambda n: 0.03) == {}


def test_a_look_that_shows_somebody_else_says_nothing():
    """In the other eye the network looks for them and sees who stands before them."""
    other = Entry(FRONT.body("right"), box_of(FRONT.body("right"), EYE), 0.95)
    assert held_against({"left": {3: entry("left", 0.5)}, "right": {3: other}}, made={"left": [3]}) == {}
