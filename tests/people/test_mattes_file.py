"""Mattes in a plan's file: what is written is read, to the byte, and whatever else somebody writes is answered in words."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.errors import PlanError
from vr180_ofx.people.edit import apply_edits
from vr180_ofx.people.plan import Plan

SHAPE: list[list[float]] = [[10, 20], [60, 25.5], [40, 90]]
LATER: list[list[float]] = [[20, 20], [70, 25.5], [50, 110]]
PEOPLE: list[dict[str, object]] = [{"id": 1, "name": "anna", "views": {}}, {"id": 2, "name": "ben", "views": {}}]


def document(*mattes, people=PEOPLE):
    return {"format": "vr180-ofx plan", "version": 1, "people": people, "mattes": list(mattes)}


def garbage(**more):
    return {"name": "lamp", "kind": "garbage", "shapes": {"left": SHAPE}} | more


def test_what_is_written_is_read_to_the_byte(bare, tmp_path):
    all_that_can_be_said = (
        garbage(person="ben", carry=False, metres=2.5, invert=True, feather=3.5, frames=[[0, 2], [3, 4]], enabled=False),
        {"name": "arm", "kind": "hand_over", "person": 1, "shapes": {"left": [[0, SHAPE], [8, LATER]], "right": SHAPE}},
        {"name": "bag", "kind": "holdout", "person": 2, "image": {"path": "bag.%04d.exr", "channel": "bag", "view": "right", "first": 7}},
    )
    (tmp_path / "plan.json").write_text(json.dumps(document(*all_that_can_be_said)))
    plan = Plan.load(tmp_path / "plan.json", bare)
    lamp, _, bag = plan.mattes
    assert bag.image is not None
    assert lamp.person == 2 and lamp.frames == ((0, 4),) and not lamp.enabled and lamp.metres == 2.5
    assert bag.image.path == str(tmp_path / "bag.%04d.exr") and bag.image.first == 7
    plan.save(tmp_path / "again.json")
    again = Plan.load(tmp_path / "again.json", bare)
    assert again.mattes == plan.mattes and again.to_json() == plan.to_json() and again.digest() == plan.digest()
    assert plan.digest() != Plan.from_data(document(), bare).digest()


def test_points_move_on_straight_lines_and_stay_before_and_after(bare):
    matte: Any = Plan.from_data(document(garbage(shapes={"left": [[2, SHAPE], [6, LATER]]})), bare).mattes[0]
    assert np.allclose(matte.shape("left", 4), (np.array(SHAPE) + LATER) / 2) and matte.shape("right", 4) is None
    assert np.allclose(matte.shape("left", 0), SHAPE) and np.allclose(matte.shape("left", 9), LATER)
    assert matte.facts(4) != matte.facts(5) and matte.facts(0) == matte.facts(2)


WRONG = {
    "no kind": (garbage(kind="garbge"), "allowed are garbage, holdout and hand_over"),
    "no shape": ({"name": "a", "kind": "garbage"}, "neither shapes nor an image"),
    "both": (garbage(image={"path": "/a.png"}), "shapes and an image"),
    "two points": (garbage(shapes={"left": SHAPE[:2]}), "3 to 2000 points"),
    "a line": (garbage(shapes={"left": [[0, 0], [5, 5], [10, 10]]}), "one line"),
    "no number": (garbage(shapes={"left": [[0, "x"], [5, 5], [10, 0]]}), r"\[x, y\]"),
    "not finite": (garbage(shapes={"left": [[0, float("nan")], [5, 5], [10, 0]]}), r"\[x, y\]"),
    "outside": (garbage(shapes={"left": [[-30, -30], [-5, -30], [-5, -8]]}), "outside the eye's picture of 512x512"),
    "an eye that is none": (garbage(shapes={"main": SHAPE}), "this clip has left, right"),
    "other points": (garbage(shapes={"left": [[0, SHAPE], [4, [*LATER, [1, 1]]]]}), "3 points at frame 0 and 4 at frame 4"),
    "backwards": (garbage(shapes={"left": [[4, SHAPE], [2, LATER]]}), "each comes after the one before"),
    "beyond the clip": (garbage(shapes={"left": [[4, SHAPE], [10, LATER]]}), "frames are numbers from 0 to 9"),
    "no such frames": (garbage(frames=[[3, 12]]), "frames from 0 to 9"),
    "nobody": (garbage(person="carl"), r"1 \(anna\), 2 \(ben\)"),
    "whose": (garbage(kind="holdout"), "says whose it is"),
    "a word": (garbage(colour="red"), "allowed are name, kind"),
    "soft": (garbage(feather=-1), "from 0 to 500"),
    "near": (garbage(metres=0), "from 0.05 on"),
    "relative": ({"name": "a", "kind": "garbage", "image": {"path": "a.png"}}, "must be absolute"),
    "no path": ({"name": "a", "kind": "garbage", "image": {"path": "/a\0.png"}}, "a picture, or a pattern"),
    "a list": ([1, 2], "an object with name"),
    "a name": (garbage(name="1 lamp"), "a letter first"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_its_place(bare, what):
    matte, words = WRONG[what]
    with pytest.raises(PlanError, match=words) as error:
        Plan.from_data(document(matte), bare, "the plan")
    assert re.search(r"mattes\[0\]", str(error.value)) and len(str(error.value)) < 500


def test_names_are_names_of_one(bare):
    with pytest.raises(PlanError, match="two mattes are called 'LAMP'"):
        Plan.from_data(document(garbage(), garbage(name="LAMP")), bare)
    with pytest.raises(PlanError, match="at most 200"):
        Plan.from_data(document(*(garbage(name=f"m{k}") for k in range(201))), bare)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["left", "path", "x", "first"]), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["kind", "person", "shapes", "image", "frames", "feather", "metres", "carry"]), JUNK, max_size=4))
def test_whatever_it_is_there_are_words_for_it(bare, junk):
    try:
        plan = Plan.from_data(document(garbage() | junk), bare)
    except PlanError as error:
        assert str(error).isprintable()
    else:
        assert Plan.from_data(json.loads(plan.to_json()), bare).mattes == plan.mattes


def edited(plan, bare, *edits):
    return apply_edits(plan, edits, bare, load_segmenter=lambda: pytest.fail("nobody is to be followed"))


def test_operations_add_change_and_take_away(bare):
    plan = Plan.from_data(document(), bare)
    key = {"op": "matte", "view": "left", "frame": 2, "points": SHAPE}
    plan = edited(plan, bare, key, {"op": "matte", "name": "GARBAGE01", "view": "left", "frame": 6, "points": LATER, "feather": 2.0})
    assert [(m.name, m.kind, len(m.shapes["left"]), m.feather) for m in plan.mattes] == [("garbage01", "garbage", 2, 2.0)]
    again = edited(plan, bare, {"op": "matte", "name": "garbage01", "view": "left", "frame": 6, "points": SHAPE})
    assert np.allclose(again.mattes[0].shape("left", 9), SHAPE) and again.mattes[0].feather == 2.0
    handed = edited(again, bare, {"op": "matte", "kind": "hand_over", "person": "Ben", "shapes": {"right": SHAPE}})
    assert handed.mattes[1].person == 2 and handed.mattes[1].name == "hand_over01"
    merged = edited(handed, bare, {"op": "merge", "person": 2, "into": 1})
    assert merged.mattes[1].person == 1
    assert [m.name for m in edited(merged, bare, {"op": "unmatte", "name": "garbage01"}).mattes] == ["hand_over01"]
    gone = edited(handed, bare, {"op": "remove", "person": 2})
    assert [m.name for m in gone.mattes] == ["garbage01"]


def test_operations_say_what_is_wrong(bare):
    plan = Plan.from_data(document(garbage()), bare)
    with pytest.raises(PlanError, match=r"did you mean lamp\?"):
        edited(plan, bare, {"op": "unmatte", "name": "lamb"})
    with pytest.raises(PlanError, match=r"edits\[0\] \(matte\).*3 points at frame 0 and 4 at frame 5"):
        edited(plan, bare, {"op": "matte", "name": "lamp", "view": "left", "frame": 5, "points": [*SHAPE, [1, 1]]})
    with pytest.raises(PlanError, match="points have a view and a frame"):
        edited(plan, bare, {"op": "matte", "points": SHAPE})
