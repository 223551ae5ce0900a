"""Points on somebody, as corrections of a plan."""

import json

import pytest

from tests.people.edits import edited, middle
from vr180_ofx.errors import PlanError
from vr180_ofx.people.corrections import POINTS_REACH, PointsAt
from vr180_ofx.people.edit import changed_frames
from vr180_ofx.people.plan import Plan


def test_points_are_added_up_kept_in_the_file_and_taken_away(planned, tmp_path):
    clip, plan = planned
    x, y = middle(plan)
    point = {"op": "point", "person": "person01", "view": "left", "frame": 3}
    made = edited(plan, [{**point, "plus": [[x, y]]}, {**point, "minus": [[x + 40, y]]}, {**point, "frame": 5, "plus": [[x, y]]}], clip)
    assert made.people[0].points == {"left": {3: PointsAt(((x, y),), ((x + 40, y),)), 5: PointsAt(((x, y),))}}
    made.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json", clip)
    assert again.people == made.people and again.digest() == made.digest() != plan.digest()
    # networks are not asked again; what is served may change as far as points are carried
    assert [made.facts(n) for n in range(len(clip))] == [plan.facts(n) for n in range(len(clip))]
    assert changed_frames(plan, made) == [n for n in range(len(clip)) if n <= 5 + POINTS_REACH]
    one = edited(made, [{"op": "unpoint", "person": 1, "frame": 3}], clip)
    assert one.people[0].points == {"left": {5: PointsAt(((x, y),))}}
    assert edited(one, [{"op": "unpoint", "person": 1, "view": "left"}], clip).to_json() == plan.to_json()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "has no points"),
        ({"plus": [[9000, 3]]}, "outside of the eye's picture"),
        ({"plus": [[1, 2, 3]]}, "plus is"),
        ({"plus": [[100, 100]], "minus": [[100.5, 100]]}, "the same place; take one away"),
        ({"plus": [[3, 3]]}, "lies far from person01.*whoever is there is somebody else"),
        ({"frame": 99, "plus": [[3, 3]]}, "frames 0 to 9"),
        ({"op": "unpoint"}, "person01 has no points in frame 3"),
    ],
)
def test_what_cannot_be_meant_is_said(planned, wrong, said):
    clip, plan = planned
    before = plan.to_json()
    edit = {"op": "point", "person": 1, "view": "left", "frame": 3} | wrong
    with pytest.raises(PlanError, match=said):
        edited(plan, [edit], clip)
    assert plan.to_json() == before


def test_nobody_can_be_corrected_where_they_are_not(planned):
    clip, plan = planned
    gone = {"op": "absent", "person": 1, "first": 3, "last": 3}
    with pytest.raises(PlanError, match="is not there in frame 3 of the left eye.*move"):
        edited(plan, [gone, {"op": "point", "person": 1, "view": "left", "frame": 3, "plus": [middle(plan)]}], clip)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (7, "points is 7; it is an object of views"),
        ({"top": {}}, "has 'top'; this clip has left, right"),
        ({"left": {"99": {"plus": [[1, 1]]}}}, "has '99'; frames are numbers"),
        ({"left": {"3": {"plus": 7}}}, "plus is 7; it is a list"),
        ({"left": {"3": {"plsu": []}}}, "has the key 'plsu'"),
        ({"left": {"3": {}}}, "has no points"),
        ({"left": [1]}, "is \\[1\\]; it is an object of frames"),
    ],
)
def test_what_is_wrong_in_a_plans_file_is_said_with_its_place(planned, points, said):
    clip, plan = planned
    data = json.loads(plan.to_json())
    data["people"][0]["points"] = points
    with pytest.raises(PlanError, match=said) as info:
        Plan.from_data(data, clip)
    assert "people[0].points" in str(info.value)
