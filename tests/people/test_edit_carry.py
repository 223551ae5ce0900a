"""Carrying as a correction of a plan: what is written into it, what is said of it, and how mattes go by it."""

import json

import numpy as np
import pytest

from vr180_ofx.cli.edit_words import parse_words
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.people.edit import apply_edits, changed_frames
from vr180_ofx.people.followed import told_where_carried
from vr180_ofx.people.outline import CARRIED, outline_of, polygons
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings


def edited(plan, edits, clip):
    return apply_edits(plan, edits, clip, load_segmenter=Models.of(Settings()).load_segmenter)


@pytest.fixture(scope="module")
def carried(planned):
    """The first person was found up to frame 6, and is carried from there."""
    clip, plan = planned
    data = json.loads(plan.to_json())
    for rows in data["people"][0]["views"].values():
        for key in [k for k in rows if int(k) > 6]:
            del rows[key]
        # at a shot's end the last look holds for one more; here he is lost before
    lost = Plan.from_data(data, clip)
    return clip, plan, lost, edited(lost, [{"op": "carry", "person": "person01"}], clip)


def test_they_are_in_the_plan_with_outlines_and_in_doubt(carried):
    clip, plan, lost, made = carried
    person = made.people[0]
    for view in clip.views:
        assert made.carried(person, view) == [7, 8, 9] and not lost.carried(lost.people[0], view)
        for n in (7, 9):
            entry = person.views[view][n]
            assert entry.source == CARRIED and 0.5 < entry.score < 1
            known = plan.track(plan.people[0], view).bodies[n]
            assert entry.body.angle_to(known) < 0.2 * known.reach
    again = Plan.from_data(json.loads(made.to_json()), clip)
    assert again.people == made.people and again.to_json() == made.to_json()
    assert set(changed_frames(lost, made)) >= {7, 8, 9}
    said = made.doubts(1, "a.json")
    assert len(said) == 2 and "person01 is carried along the picture's motion in frames 8-10 of the left eye" in said[0]
    assert told_where_carried(lost, made, first_number=1, plan_name="a.json") == said
    # of a part of the frames, what is in it
    (part, _) = made.doubts(1, "a.json", frames={0, 8, 9})
    assert "in frames 9-10 of the left eye" in part and made.doubts(1, frames=range(7)) == []
    assert told_where_carried(made, made, first_number=1, plan_name="a.json") == []
    # who looked at it settles it
    sure = edited(made, [{"op": "confirm", "person": 1}], clip)
    assert sure.doubts(1) == [] and {e.source for n, e in sure.people[0].views["left"].items() if n > 6} == {"edited"}
    assert all(sure.people[0].views["left"][n].outline for n in (7, 8, 9))


def test_mattes_go_by_the_outline_where_no_network_sees_them(carried):
    clip, _, _, made = carried
    whole = Rect.of_size(*clip.eye_size)
    with FrameServer(clip, made, clip.settings) as server:
        frame = server.request(9).result()
    for view in clip.views:
        alpha = np.asarray(frame.views[view].person(1), np.float32)
        wanted = covered_by(polygons(made.people[0].views[view][9].outline), whole) > 0.5
        assert np.count_nonzero((alpha > 0.5) & wanted) > 0.85 * np.count_nonzero((alpha > 0.5) | wanted)


def test_carried_again_it_is_the_same_and_a_moved_box_is_no_outline(carried):
    clip, _, _, made = carried
    assert edited(made, [{"op": "carry", "person": 1}], clip).to_json() == made.to_json()
    data = json.loads(made.to_json())
    row = data["people"][0]["views"]["left"]["8"]
    row["box"] = [v + 30 for v in row["box"]]
    entry = Plan.from_data(data, clip).people[0].views["left"][8]
    assert entry.outline == () and entry.source == "edited"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"person": "nobody"}, "there is no person"),
        ({"first": 90}, "first is 90"),
        ({"first": 5, "last": 2}, "first is 5, after last"),
    ],
)
def test_what_cannot_be_carried_is_said(planned, edit, said):
    clip, plan = planned
    with pytest.raises(PlanError, match=said):
        edited(plan, [{"op": "carry", "person": 1} | edit], clip)


@pytest.mark.parametrize(
    ("rows", "said"),
    [([[1, 2, 3, 4, 5, 6, 7]], "has 7 numbers"), ([[1, 2]], "it is a list of polygons"), ([["a"] * 6], "polygons"), (7, "polygons")],
)
def test_outlines_that_are_none_are_said(carried, rows, said):
    clip, _, _, made = carried
    data = json.loads(made.to_json())
    data["people"][0]["views"]["left"]["8"]["outline"] = rows
    with pytest.raises(PlanError, match=f"people.0..views.left.8.*outline.*{said}"):
        Plan.from_data(data, clip)
    assert outline_of([[1, 2, 3, 4, 5, 6]], "x") == ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0),)


def test_in_words():
    (words,) = parse_words(["carry", "person01", "--frames", "3-7,9"], 1, ("left",))
    assert words.edits == (
        {"op": "carry", "person": "person01", "first": 2, "last": 6},
        {"op": "carry", "person": "person01", "first": 8, "last": 8},
    )
    (words,) = parse_words(["add", "--point", "3,4@2", "--no-carry"], 1, ("left",))
    assert words.edits[0]["carry"] is False and words.edits[0]["follow"] is True
