"""Somebody who is pointed out by points alone, where no network sees them: from the edit to the plan, what it doubts, and what settles it.

The clip is a folder of pictures, read as any other; its people are painted, and a detector and a segmenter that see colours look at it.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from tests.people.painted import SIDE, VIEWS, Detector, Painted, Segmenter, colours, eye
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.analyse import analyse
from vr180_ofx.people.edit import apply_edits
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.outline import ACROSS, BY_POINTS, CARRIED, polygons
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings

FRAMES = 26
#: Stands there, and the walker passes behind, slowly.
FRONT = Painted(4, 0.35, width=0.28, height=0.6)
WHOLE = Rect.of_size(SIDE, SIDE)


def walker(n):
    return Painted(1, -0.2 + 0.018 * n, width=0.2, height=0.5)


def picture(n, view):
    return eye([walker(n), FRONT], view).region(WHOLE)


def truth(n, view="left"):
    return colours(picture(n, view)) == 1


class Blind(Segmenter):
    """Sees the one in front alone: the walker is somebody whom the network lost."""

    def segment(self, image):
        seen = super().segment(image)
        inside = (colours(image) == FRONT.colour) & (seen.logits > 0)
        return seen if inside.any() else type(seen)(np.full_like(seen.logits, -9.0), 0.0, np.zeros(2), np.zeros(2))


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """The clip, and its plan."""
    folder = tmp_path_factory.mktemp("walk")
    for n in range(FRAMES):
        both = np.hstack([np.round(picture(n, view) * 255).astype(np.uint8) for view in VIEWS])
        assert cv2.imwrite(str(folder / f"walk_LR_180.{n:04d}.png"), both[..., ::-1])
    with open_clip(folder / "walk_LR_180.%04d.png") as clip:
        plan = analyse(clip, Settings(), detector=Detector(), segmenter=Segmenter())
        # who stands behind is lost from frame 13 on
        yield clip, apply_edits(
            plan, [{"op": "remove", "person": 2, "first": 13, "last": 25}, {"op": "absent", "person": 2, "absent": False}], clip,
            load_segmenter=Segmenter,
        )  # fmt: skip


def edited(walk, edits, plan=None, **how):
    clip, first = walk
    return apply_edits(plan or first, edits, clip, load_segmenter=Blind, **how)


def place(n, view="left"):
    """Pixels of the middle of what is to be seen of the walker in the row of his middle."""
    row = int((0.5 - walker(n).latitude / np.pi) * SIDE)
    return [float(np.flatnonzero(truth(n, view)[row]).mean()) + 0.5, row + 0.5]


def add(n, *places, view="left", **how):
    return {"op": "add", "view": view, "frame": n, "points": list(places) or [place(n, view)], "into": "person02"} | how


def covers(entry):
    return covered_by(polygons(entry.outline), WHOLE) > 0.5


def test_by_one_point_they_are_there_in_doubt_until_somebody_confirms(walk):
    clip, plan = walk
    assert max(plan.track(plan.people[1], "left").bodies) < 14
    made = edited(walk, [add(18)])
    them = made.people[1]
    entry = them.views["left"][18]
    assert entry.source == "edited" and entry.score == BY_POINTS and entry.occluders == (1,)
    assert mask_iou(covers(entry), truth(18)) > 0.6
    # to both sides along the motion, no surer than the points are, and what was found is as it was
    carried = made.carried(them, "left")
    assert {16, 17, 19, 20} <= set(carried) and made.by_points(them, "left") == [18]
    for n in carried:
        assert 0 < them.views["left"][n].score <= 1 and mask_iou(covers(them.views["left"][n]), truth(n)) > 0.5, n
    assert all(them.views["left"][n].score <= BY_POINTS for n in carried if n > 18)
    assert {n: e for n, e in them.views["left"].items() if n < 10} == {n: e for n, e in plan.people[1].views["left"].items() if n < 10}
    said = made.doubts(1, "a.json")
    assert any("person02 is in frames 19 of the left eye by points alone" in line for line in said)
    assert any("person02 is carried" in line and "left eye" in line for line in said)
    # as it is read again, to the last bit; who looked at it settles it
    assert Plan.from_data(json.loads(made.to_json()), clip).people == made.people
    sure = edited(walk, [{"op": "confirm", "person": "person02"}], made)
    assert sure.doubts(1) == [] and sure.people[1].views["left"][18].score == 1.0
    assert covers(sure.people[1].views["left"][18]).tolist() == covers(entry).tolist()


def test_only_the_gaps_beside_a_new_frame_are_carried(walk):
    """What was carried before stays as it is, to the digit, where it is surer than what comes from the new frame; nothing is gone through
    twice."""
    passed = []
    one = edited(walk, [add(17, seconds=0.1)])
    before = one.people[1].views["left"]
    assert one.carried(one.people[1], "left") == [15, 16, 18, 19]
    two = edited(walk, [add(21, seconds=0.25)], one, progress=lambda what, done, total: passed.append((what, done, total)))
    after = two.people[1].views["left"]
    assert all(after[n] == e for n, e in before.items() if n <= 17)
    assert after[21].source == "edited" and after[20].source == CARRIED and mask_iou(covers(after[20]), truth(20)) > 0.5
    # where both came, the surer one
    assert all(after[n].score >= before[n].score for n in (18, 19))
    steps = [done for what, done, _ in passed if what == "carrying"]
    # the gap on each side alone, once: 18 to 20, and what is left of the clip; and that to 17, which is not gone through again
    assert steps == sorted(steps) and passed[-1][1:] == (7, 7)
    # asked for the whole, it is carried from the beginning
    again = edited(walk, [{"op": "carry", "person": "person02"}], two).people[1].views["left"]
    assert {13, 14} <= set(again) and all(mask_iou(covers(again[n]), covers(after[n])) > 0.9 for n in (15, 16, 18))


def test_who_corrects_what_was_carried_is_believed_on_both_sides(walk):
    """In the middle of what was carried somebody points again: the frames beside go by it, and those on its other side are as they were."""
    one = edited(walk, [add(18)])
    assert one.people[1].views["left"][19].source == CARRIED
    two = edited(walk, [add(19, place(19))], one)
    rows = two.people[1].views["left"]
    assert rows[19].source == "edited" and rows[19].outline != one.people[1].views["left"][19].outline
    assert all(rows[n].outline != one.people[1].views["left"][n].outline for n in (20, 21))
    assert all(rows[n] == e for n, e in one.people[1].views["left"].items() if n <= 18)


def test_the_frame_alone(walk):
    made = edited(walk, [add(18, follow=False)])
    assert made.carried(made.people[1], "left") == [] and made.by_points(made.people[1], "left") == [18]


def test_what_is_pointed_out_in_one_eye_is_brought_to_the_other_until_it_is_pointed_out_there(walk):
    """By the distance that both eyes saw before, in doubt there, too."""
    made = edited(walk, [add(18)])
    brought = made.people[1].views["right"][18]
    assert brought.source == ACROSS and brought.score <= BY_POINTS and mask_iou(covers(brought), truth(18, "right")) > 0.6
    assert {17, 18, 19} <= set(made.carried(made.people[1], "right"))
    assert any("of the right eye" in line and "as in the other eye" in line for line in made.doubts(1))
    both = edited(walk, [add(18, view="right")], made)
    entry = both.people[1].views["right"][18]
    assert entry.source == "edited" and entry.score == BY_POINTS and mask_iou(covers(entry), truth(18, "right")) > 0.6


@pytest.mark.parametrize(
    ("points", "minus", "said"),
    [
        # the wall has no edge around it, as far as a body reaches
        ([[20.0, 120.0]], [], "no edge around it|further apart|nobody"),
        (None, "same", "a minus point is near"),
        ([[300.0, 120.0]], [], "lies outside of the eye's picture of 256x256"),
        ([[10.0, 128.0], [240.0, 128.0]], [], "lie further apart than one body"),
    ],
)
def test_nobody_is_made_up(walk, points, minus, said):
    edit = add(18) | ({"points": points} if points else {}) | ({"minus": [place(18)]} if minus == "same" else {})
    with pytest.raises(PlanError, match=said):
        edited(walk, [edit])


def test_somebody_new_is_not_made_of_points_alone(walk):
    """Nothing says how large they are: an outline needs somebody whom the plan knows."""
    edit = {k: v for k, v in add(24).items() if k != "into"} | {"name": "ben"}
    with pytest.raises(PlanError, match="nobody is found"):
        edited(walk, [edit])
