"""What a plan says of edges, changed by corrections."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import PlanError
from vr180_ofx.people.edit import apply_edits, changed_frames
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plan_file import FORMAT, VERSION

PEOPLE = [{"id": k, "name": name, "views": {"left": {"0": {"box": [10, 10, 200, 400]}}}} for k, name in ((1, "anna"), (2, "ben"))]


@pytest.fixture
def plan(bare):
    return Plan.from_data({"format": FORMAT, "version": VERSION, "people": PEOPLE}, bare)


def edited(plan, bare, *edits):
    made = [{"op": "edges", **e} for e in edits]
    return apply_edits(plan, made, bare, load_segmenter=lambda: pytest.fail("nobody is to be followed"), first_number=1001)


def test_of_a_person_of_everybody_and_back(plan, bare):
    made = edited(plan, bare, {"person": "Ben", "values": {"feather": 3, "unit": "milliradians"}}, {"values": {"size": -1.5}})
    assert made.edges_at(4, 2) == {"feather": 3.0, "unit": "milliradians"} and made.edges_at(4, None) == {"size": -1.5}
    assert made.edges_at(4, 1) == {}
    assert changed_frames(plan, made) == list(range(len(bare)))
    again = edited(made, bare, {"person": 2, "values": {"feather": None, "size": 2.0}})
    assert again.edges_at(0, 2) == {"unit": "milliradians", "size": 2.0}
    none = edited(again, bare, {"person": 2, "values": {"unit": None, "size": None}}, {"values": {"size": None}})
    assert none.to_json() == plan.to_json()


def test_keyframes_come_beside_those_that_there_are(plan, bare):
    made = edited(plan, bare, {"person": 1, "values": {"size": 1.0}}, {"person": 1, "values": {"size": [[8, 3.0]]}})
    assert [made.edges_at(n, 1)["size"] for n in (0, 4, 8, 9)] == [1, 2, 3, 3]
    made = edited(made, bare, {"person": 1, "values": {"size": [[8, 5.0], [4, 0.0]]}})
    assert [made.edges_at(n, 1)["size"] for n in (0, 4, 6, 8)] == [1, 0, 2.5, 5]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"values": {"fether": 3}}, r"no edge control 'fether' \(did you mean feather\?\)"),
        ({"values": {"feather": "soft"}}, "edges.feather is 'soft'; it is a number"),
        ({"values": {"size": 21}}, "edges.size is 21"),
        ({"values": {"size": [[99, 1]]}}, "frame is 1100; this clip has frames 1001 to 1010"),
        ({"values": {"size": [7]}}, r"a keyframe is 7; it is \[frame, value\]"),
        ({"values": {}}, "values"),
        ({"person": "carl", "values": {"size": 1}}, "no person 'carl'"),
    ],
)
def test_what_is_wrong_is_said(plan, bare, wrong, said):
    with pytest.raises(PlanError, match=said):
        edited(plan, bare, wrong)
    assert plan.edges == {}
