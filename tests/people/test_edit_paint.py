"""Painted mattes in a plan and its edits, and what becomes of corrections when people are merged and split."""

import json

import pytest

from tests.people.edits import edited, middle
from vr180_ofx.errors import PlanError
from vr180_ofx.people.corrections import POINTS_REACH, PointsAt
from vr180_ofx.people.edit import changed_frames
from vr180_ofx.people.plan import Plan

PAINT = {"op": "paint", "person": "person01", "view": "left", "frame": 3, "file": "/paint/a.png"}


def test_a_file_is_named_kept_relative_to_the_plan_and_taken_away(planned, tmp_path):
    clip, plan = planned
    made = edited(plan, [PAINT, {**PAINT, "view": "right", "file": "/paint/b.png"}, {**PAINT, "frame": 5}], clip)
    assert made.people[0].paint == {"left": {3: "/paint/a.png", 5: "/paint/a.png"}, "right": {3: "/paint/b.png"}}
    assert made.files == made.painted == {"/paint/a.png", "/paint/b.png"}
    made.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json", clip)
    assert again.people == made.people and again.digest() == made.digest() != plan.digest()
    # networks are not asked again; what is served may change as far as it is carried
    assert [made.facts(n) for n in range(len(clip))] == [plan.facts(n) for n in range(len(clip))]
    assert changed_frames(plan, made) == [n for n in range(len(clip)) if n <= 5 + POINTS_REACH]
    data = json.loads(made.to_json())
    data["people"][0]["paint"] = {"left": {"3": "sub/a.png"}}
    (tmp_path / "other.json").write_text(json.dumps(data))
    assert Plan.load(tmp_path / "other.json", clip).people[0].paint["left"][3] == str(tmp_path / "sub" / "a.png")
    one = edited(made, [{"op": "unpaint", "person": 1, "frame": 3}], clip)
    assert one.people[0].paint == {"left": {5: "/paint/a.png"}}
    assert edited(one, [{"op": "unpaint", "person": 1}], clip).to_json() == plan.to_json()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"file": "a.png"}, "file is 'a.png'; here it must be absolute"),
        ({"file": ""}, "it is the name of a picture"),
        ({"file": "/a\0.png"}, "it is the name of a picture"),
        ({"file": 7}, "file is 7"),
        ({"frame": 99}, "frames 0 to 9"),
        ({"view": "top"}, "view is 'top'"),
        ({"op": "unpaint", "file": None}, "file"),
    ],
)
def test_what_cannot_be_meant_is_said(planned, wrong, said):
    clip, plan = planned
    before = plan.to_json()
    with pytest.raises(PlanError, match=said):
        edited(plan, [{**PAINT, **wrong}], clip)
    assert plan.to_json() == before


def test_nobody_is_painted_where_they_are_not_and_nothing_is_taken_that_is_not_there(planned):
    clip, plan = planned
    with pytest.raises(PlanError, match=r"is not there in frame 3 of the left eye.*move"):
        edited(plan, [{"op": "absent", "person": 1, "first": 3, "last": 3}, PAINT], clip)
    with pytest.raises(PlanError, match="person01 has no painted matte in frame 4"):
        edited(plan, [PAINT, {"op": "unpaint", "person": 1, "frame": 4}], clip)


@pytest.mark.parametrize(
    ("paint", "said"),
    [
        (7, "paint is 7; it is an object of views"),
        ({"top": {}}, "has 'top'; this clip has left, right"),
        ({"left": [1]}, r"is \[1\]; it is an object of frames"),
        ({"left": {"99": "/a.png"}}, "has '99'; frames are numbers"),
        ({"left": {"3": 7}}, "3 is 7; it is the name of a picture"),
        ({"left": {"3": "a.png"}}, "must be absolute"),
        ({"left": {"3": "/a.png", "03": "/b.png"}}, "frame 3 is there twice"),
    ],
)
def test_what_is_wrong_in_a_plans_file_is_said_with_its_place(planned, paint, said):
    clip, plan = planned
    data = json.loads(plan.to_json())
    data["people"][0]["paint"] = paint
    with pytest.raises(PlanError, match=said) as info:
        Plan.from_data(data, clip)
    assert "people[0].paint" in str(info.value)


def test_a_tracker_that_tells_nobody_apart_refuses_corrections_of_one(planned):
    clip, plan = planned
    for edit, words in ((PAINT, "person01 has painted mattes.*unpaint"), (point(plan, 3), "person01 has points.*unpoint")):
        with pytest.raises(PlanError, match=words):
            edited(plan, [edit], clip).of_everybody()
    # nobody asks for those who are left out
    edited(plan, [PAINT, {"op": "exclude", "person": 1}], clip).of_everybody()


def point(plan, n, person=1):
    return {"op": "point", "person": person, "view": "left", "frame": n, "plus": [middle(plan, person)]}


def test_who_is_split_keeps_what_was_said_of_their_frames(planned):
    clip, plan = planned
    edits = [point(plan, 3), point(plan, 6), PAINT, {**PAINT, "frame": 7}, {"op": "split", "person": 1, "frame": 5}]
    made = edited(plan, edits, clip)
    one, other = made.people[0], made.people[-1]
    assert [list(p.points["left"]) for p in (one, other)] == [[3], [6]]
    assert [list(p.paint["left"]) for p in (one, other)] == [[3], [7]]


def test_who_is_merged_brings_what_was_said_of_them(planned):
    clip, plan = planned
    edits = [point(plan, 3, 2), {**PAINT, "person": 2}, {**PAINT, "person": 2, "frame": 4}, {**PAINT, "frame": 4, "file": "/own.png"}]
    made = edited(plan, [*edits, {"op": "merge", "person": 2, "into": 1}], clip)
    (one,) = made.people
    assert one.points == {"left": {3: PointsAt((tuple(middle(plan, 2)),))}}
    assert one.paint == {"left": {3: "/paint/a.png", 4: "/own.png"}}
