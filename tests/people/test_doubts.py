"""Doubts: in words, in plans, and how corrections settle them."""

import json

import pytest

from vr180_ofx.errors import PlanError
from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.edit import apply_edits as applied
from vr180_ofx.people.plan import Plan


def apply_edits(plan, edits, clip):
    return applied(plan, edits, clip, load_segmenter=lambda: pytest.fail("nobody is to be followed"))


@pytest.fixture
def doubted(planned):
    """The plan of ten frames, in doubt about the second person from frame 4 and from frame 7 on."""
    clip, plan = planned
    data = json.loads(plan.to_json())
    data["people"][1]["doubts"] = [{"frame": 4}, {"frame": 7, "why": "looks"}]
    return clip, Plan.from_data(data, clip)


def test_what_to_do_is_said_in_output_numbers_with_the_file():
    assert Doubt(9).told_of("person02", 1, "clip.plan.json") == (
        "person02 may be two people from frame 10 on: vr180-ofx edit clip.plan.json split person02 --at 10; if it is one: confirm person02"
    )
    assert "from frame 1009 on: split person02 --at 1009;" in Doubt(8).told_of("person02", 1001)
    assert "in the right eye than in the left one from frame 3 on" in Doubt(2, "eyes").told_of("person02", 1)


def test_doubts_are_kept_in_the_file_and_decide_nothing(doubted, planned):
    clip, plan = doubted
    assert plan.people[1].doubts == (Doubt(4), Doubt(7))
    assert Plan.from_data(json.loads(plan.to_json()), clip).people == plan.people
    assert plan.digest() == planned[1].digest() and "doubts" not in planned[1].to_json()
    assert len(plan.doubts(1)) == 2
    excluded = apply_edits(plan, [{"op": "exclude", "person": 2}], clip)
    assert excluded.doubts(1) == []


def test_a_split_settles_the_doubt_at_that_place_and_confirming_all(doubted):
    clip, plan = doubted
    # frame 4 is where an entry is: 3 and 4 are the same place
    split = apply_edits(plan, [{"op": "split", "person": 2, "frame": 4}], clip)
    assert split.people[1].doubts == () and split.people[2].doubts == (Doubt(7),)
    elsewhere = apply_edits(plan, [{"op": "split", "person": 2, "frame": 6}], clip)
    assert elsewhere.people[1].doubts == (Doubt(4),) and elsewhere.people[2].doubts == (Doubt(7),)
    merged = apply_edits(elsewhere, [{"op": "merge", "person": 3, "into": 2}], clip)
    assert merged.people[1].doubts == (Doubt(4), Doubt(7))
    assert apply_edits(plan, [{"op": "confirm", "person": "person02"}], clip).doubts(1) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"frame": 10}, "frames are numbers from 0 to 9"),
        ({"frame": -1}, "frame is -1"),
        ({"frame": "4"}, "frame is '4'"),
        ({"frame": 4, "why": "hair"}, "why is 'hair'; it is looks or eyes"),
        ({"frame": 4, "who": 1}, "has the key 'who'"),
        ({}, "a doubt is an object"),
        (7, "a doubt is an object"),
    ],
)
def test_doubts_that_are_none(planned, row, said):
    clip, plan = planned
    data = json.loads(plan.to_json())
    data["people"][1]["doubts"] = [row]
    with pytest.raises(PlanError, match=r"people\[1\].doubts\[0\]") as info:
        Plan.from_data(data, clip)
    assert said in str(info.value)
