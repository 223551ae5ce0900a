"""Correcting a plan by hand."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from vr180_ofx.engine.models import Models
from vr180_ofx.errors import PlanError
from vr180_ofx.people import edit
from vr180_ofx.people.edit import OPERATIONS, changed_frames
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings


def nobody_follows():
    raise AssertionError("a segmenter was loaded, though nobody is to be followed")


def apply_edits(plan, edits, clip, load_segmenter=nobody_follows):
    return edit.apply_edits(plan, edits, clip, load_segmenter=load_segmenter)


@pytest.fixture
def scene(planned):
    return planned


def box_of(plan, person, view, n):
    return [round(v) for v in plan.track(plan.people[person - 1], view).boxes[n]]


def test_a_box_is_moved(scene):
    clip, plan = scene
    x0, y0, x1, y1 = box_of(plan, 1, "left", 4)
    new = apply_edits(plan, [{"op": "move", "person": 1, "view": "left", "frame": 4, "box": [x0 + 60, y0, x1 + 60, y1]}], clip)
    entry = new.people[0].views["left"][4]
    assert entry.source == "edited" and entry.box[0] == pytest.approx(x0 + 60, abs=1)
    assert 4 in new.track(new.people[0], "left").anchors and 4 not in plan.track(plan.people[0], "left").anchors
    assert plan.people[0].views["left"][4].source != "edited"
    # nobody else is touched
    assert new.people[1].views == plan.people[1].views


def test_somebody_is_taken_out_and_put_in_again(scene):
    """Who is added with a box at one frame is followed to both ends of the shot, in both eyes, to where they were found before."""
    clip, plan = scene
    box = box_of(plan, 2, "left", 5)
    without = apply_edits(plan, [{"op": "remove", "person": 2}], clip)
    assert [p.id for p in without.people] == [1]
    again = apply_edits(
        without, [{"op": "add", "view": "left", "frame": 5, "box": box, "name": "ben"}], clip, Models.of(Settings()).load_segmenter
    )
    person = again.people[1]
    assert person.name == "ben" and person.views["left"][5].source == "edited"
    for view in ("left", "right"):
        frames = sorted(again.track(person, view).bodies)
        assert frames[0] <= 1 and frames[-1] >= 8, (view, frames)
        for n in (1, 8):
            a, b = again.track(person, view).bodies[n], plan.track(plan.people[1], view).bodies[n]
            assert a.angle_to(b) < 0.15 * b.reach


@pytest.mark.parametrize("person", [1, 2])
def test_somebody_is_put_in_again_by_two_points(scene, person):
    """The chest and the hips of who was taken out: the same body, followed as a box is; the other one stays who they are."""
    clip, plan = scene
    body = plan.track(plan.people[person - 1], "left").bodies[5]
    hips, top = clip.projection.project(np.array([body.direction, body.top()]))
    edits = [
        {"op": "remove", "person": person},
        {"op": "add", "view": "left", "frame": 5, "points": [list(hips), list(hips + (top - hips) * 0.4)], "name": "ben"},
    ]
    again = apply_edits(plan, edits, clip, Models.of(Settings()).load_segmenter)
    ben = next(p for p in again.people if p.name == "ben")
    for view in ("left", "right"):
        assert {1, 8} <= set(again.track(ben, view).bodies)
        for n in (1, 5, 8):
            a, b = again.track(ben, view).bodies[n], plan.track(plan.people[person - 1], view).bodies[n]
            assert a.angle_to(b) < 0.15 * b.reach, (view, n)


def test_nobody_is_made_up_where_nobody_is(scene):
    """A point in the sky, a point on somebody who is in the plan, and somebody with a minus point on them."""
    clip, plan = scene
    body = plan.track(plan.people[1], "left").bodies[5]
    hips = list(clip.projection.project(np.array(body.direction)))
    without = apply_edits(plan, [{"op": "remove", "person": 2}], clip)
    add = {"op": "add", "view": "left", "frame": 5}
    for before, points, said in (
        (plan, {"points": [[clip.eye_size[0] * 0.5, clip.eye_size[1] * 0.12]]}, "nobody is found at .*give a box"),
        (plan, {"points": [hips]}, "at .* is person02, who is in the plan already"),
        (without, {"points": [hips], "minus": [hips]}, "has a minus point on them"),
    ):
        with pytest.raises(PlanError, match=said):
            apply_edits(before, [{**add, **points}], clip, Models.of(Settings()).load_segmenter)


def test_somebody_is_completed_by_points_at_a_second_frame(scene):
    """What the plan knows of them stays as it is; where they were missing they are found; nobody new is made."""
    clip, plan = scene
    lost = apply_edits(plan, [{"op": "remove", "person": 2, "first": 4, "last": 9}, {"op": "absent", "person": 2, "absent": False}], clip)
    assert not set(range(6, 10)) & set(lost.people[1].views["left"])
    body = plan.track(plan.people[1], "left").bodies[8]
    hips, top = clip.projection.project(np.array([body.direction, body.top()]))
    add = {"op": "add", "view": "left", "frame": 8, "points": [list(hips), list(hips + (top - hips) * 0.4)], "into": 2}
    made = apply_edits(lost, [add], clip, Models.of(Settings()).load_segmenter)
    assert [p.name for p in made.people] == [p.name for p in plan.people]
    for view in ("left", "right"):
        assert all(made.people[1].views[view][n] == e for n, e in lost.people[1].views[view].items())
        a, b = made.track(made.people[1], view).bodies[8], plan.track(plan.people[1], view).bodies[8]
        assert a.angle_to(b) < 0.15 * b.reach
    for wrong, said in (
        ({"frame": 0}, "person02 is in the plan in frame 0 of the left eye already"),
        ({"name": "ben"}, "name says what somebody new is called"),
        ({"into": "ben"}, "there is no person 'ben'"),
    ):
        with pytest.raises(PlanError, match=said):
            apply_edits(lost, [{**add, **wrong}], clip, Models.of(Settings()).load_segmenter)


def test_without_following_only_the_frame_is_added(scene):
    clip, plan = scene
    new = apply_edits(plan, [{"op": "add", "view": "right", "frame": 5, "box": [10, 10, 60, 110], "follow": False}], clip)
    assert list(new.people[2].views) == ["right"] and list(new.people[2].views["right"]) == [5]


def test_a_part_of_somebodys_time_is_removed(scene):
    clip, plan = scene
    new = apply_edits(plan, [{"op": "remove", "person": 1, "first": 6}], clip)
    assert max(new.people[0].views["left"]) < 6 and len(new.people) == 2


def test_absence_is_bridged_by_nothing_and_ends_are_held(scene):
    """Entries are sampled every other frame; what is left holds to the frames beside the absence, and comes into sight anew."""
    clip, plan = scene
    new = apply_edits(plan, [{"op": "absent", "person": 1, "first": 4, "last": 5}], clip)
    for view in clip.views:
        assert sorted(new.track(new.people[0], view).bodies) == [0, 1, 2, 3, 6, 7, 8, 9]
        assert 6 in new.track(new.people[0], view).anchors
    assert changed_frames(plan, new)
    one = apply_edits(plan, [{"op": "absent", "person": "person01", "first": 9, "view": "right"}], clip)
    assert one.track(one.people[0], "left").has(9) and not one.track(one.people[0], "right").has(9)
    back = apply_edits(new, [{"op": "absent", "person": 1, "absent": False}], clip)
    assert back.to_json() == plan.to_json()
    with pytest.raises(PlanError, match="marked as absent in frame 4"):
        apply_edits(new, [{"op": "move", "person": 1, "view": "left", "frame": 4, "box": [0, 0, 9, 9]}], clip)


def test_removing_a_part_makes_no_matte_there_even_between_entries(scene):
    clip, plan = scene
    new = apply_edits(plan, [{"op": "remove", "person": 1, "first": 5, "last": 5}], clip)
    assert not new.track(new.people[0], "left").has(5) and new.track(new.people[0], "left").has(6)


def test_absence_goes_with_who_is_split_and_merged(scene):
    clip, plan = scene
    steps = [{"op": "absent", "person": 1, "first": 4, "last": 5}, {"op": "split", "person": 1, "frame": 7}]
    split = apply_edits(plan, steps, clip)
    assert sorted(split.track(split.people[2], "left").bodies) == [7, 8, 9]
    merged = apply_edits(split, [{"op": "merge", "person": 3, "into": 1}], clip)
    assert merged.people[0].views == plan.people[0].views and merged.people[0].absent == {"left": ((4, 5),), "right": ((4, 5),)}


def test_splitting_and_merging_are_inverse(scene):
    clip, plan = scene
    split = apply_edits(plan, [{"op": "split", "person": 1, "frame": 5}], clip)
    assert [p.id for p in split.people] == [1, 2, 3]
    assert all(n >= 5 for n in split.people[2].views["left"]) and all(n < 5 for n in split.people[0].views["left"])
    merged = apply_edits(split, [{"op": "merge", "person": 3, "into": 1}], clip)
    assert merged.people[0] == plan.people[0] and len(merged.people) == 2


@pytest.mark.parametrize("frame", [3, 4, 5, 6])
def test_a_split_leaves_no_frame_without_anybody(scene, frame):
    """Entries are sampled every other frame: the frame before the split is the one's, the frame itself the other's."""
    clip, plan = scene
    split = apply_edits(plan, [{"op": "split", "person": 1, "frame": frame}], clip)
    for view in clip.views:
        assert sorted(split.track(split.people[0], view).bodies) == list(range(frame))
        assert sorted(split.track(split.people[2], view).bodies) == list(range(frame, 10))
    assert apply_edits(split, [{"op": "merge", "person": 3, "into": 1}], clip).to_json() == plan.to_json()


def test_a_split_in_a_gap_that_was_bridged_holds_both_sides(scene):
    """What was taken for present stays so: the one up to the split, the other from there on."""
    clip, plan = scene
    data = json.loads(plan.to_json())
    rows = data["people"][0]["views"]["left"]
    data["people"][0]["views"]["left"] = {n: row for n, row in rows.items() if int(n) in (0, 8)}
    plan = Plan.from_data(data, clip)
    data["people"][0]["views"]["right"] = data["people"][0]["views"]["left"]
    data["people"][0]["doubts"] = [{"frame": 4}]
    doubted = Plan.from_data(data, clip)
    # anywhere in the gap it is the same place
    for frame in (1, 5, 8):
        assert apply_edits(doubted, [{"op": "split", "person": 1, "frame": frame}], clip).doubts(1) == []
    split = apply_edits(plan, [{"op": "split", "person": 1, "frame": 5}], clip)
    one, two = (split.track(split.people[k], "left") for k in (0, 2))
    assert sorted(one.bodies) == [0, 1, 2, 3, 4] and sorted(two.bodies) == [5, 6, 7, 8, 9]
    assert one.boxes[4] == pytest.approx(split.people[0].views["left"][0].box)
    assert apply_edits(split, [{"op": "merge", "person": 3, "into": 1}], clip).to_json() == plan.to_json()


def test_names_and_exclusion(scene):
    clip, plan = scene
    new = apply_edits(plan, [{"op": "rename", "person": 1, "name": "anna"}, {"op": "exclude", "person": 2}], clip)
    assert new.people[0].name == "anna" and [p.id for p in new.active] == [1]
    assert changed_frames(plan, new) == list(range(10))
    assert changed_frames(plan, apply_edits(plan, [{"op": "rename", "person": 1, "name": "anna"}], clip)) == []


def test_whoever_is_gone_stands_before_nobody(scene):
    clip, plan = scene
    data = json.loads(plan.to_json())
    next(iter(data["people"][1]["views"]["left"].values()))["behind"] = [1]
    plan = Plan.from_data(data, clip)
    new = apply_edits(plan, [{"op": "remove", "person": 1}], clip)
    assert all(not e.occluders for rows in new.people[0].views.values() for e in rows.values())
    # who stood before them is another number when two become one; nobody stands before themselves
    more = apply_edits(plan, [{"op": "split", "person": 1, "frame": 5}, {"op": "merge", "person": 1, "into": 3}], clip)
    first = next(iter(sorted(more.people[0].views["left"])))
    assert more.people[0].id == 2 and more.people[0].views["left"][first].occluders == (3,)
    alone = apply_edits(plan, [{"op": "merge", "person": 1, "into": 2}], clip)
    assert all(not e.occluders for rows in alone.people[0].views.values() for e in rows.values())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"op": "dance"}, "allowed are " + ", ".join(OPERATIONS)),
        (
            {"op": "move", "person": 9, "view": "left", "frame": 0, "box": [0, 0, 9, 9]},
            "there is no person 9; the plan has 1 (person01), 2 (person02)",
        ),
        ({"op": "move", "person": 1, "view": "top", "frame": 0, "box": [0, 0, 9, 9]}, "view is 'top'"),
        ({"op": "move", "person": 1, "view": "left", "frame": 99, "box": [0, 0, 9, 9]}, "frames 0 to 9"),
        ({"op": "move", "person": 1, "view": "left", "frame": 0, "box": [9, 0, 0, 9]}, "left < right"),
        ({"op": "move", "person": 1, "view": "left", "frame": 0}, "it needs a person, a view, a frame and a box"),
        ({"op": ["move"]}, "op is ['move']; allowed are move"),
        ({}, "op is None; allowed are move"),
        (
            {"op": "move", "person": [1], "view": "left", "frame": 0, "box": [0, 0, 9, 9]},
            "(move): person is [1]; it is the id or the name of a person",
        ),
        ({"op": "exclude", "person": "preson01"}, "did you mean person01"),
        ({"op": "absent", "person": 1, "first": 2, "last": 3, "view": "top"}, "view is 'top'"),
        ({"op": "absent", "person": 1, "first": 2, "last": 10}, "last is 10; this clip has frames 0 to 9"),
        ({"op": "move", "person": 1, "view": "left", "frame": True, "box": [0, 0, 9, 9]}, "frame is True; it is the number of a frame"),
        ({"op": "move", "person": 1, "view": "left", "frame": 0, "box": 7}, "box is 7; it is [left, top, right, bottom]"),
        ({"op": "rename", "person": 1, "nam": "anna"}, "it needs a person and a name"),
        ({"op": "remove", "person": 1, "frist": 3}, "has the key 'frist'; allowed are op, person, first, last"),
        ({"op": "add", "view": "left", "frame": 0, "box": [0, 0, 9, 9], "seconds": -1}, "seconds is -1; it is how long"),
        ({"op": "add", "view": "left", "frame": 0}, "by a box or by points: one of the two"),
        ({"op": "add", "view": "left", "frame": 0, "box": [0, 0, 9, 9], "points": [[1, 2]]}, "one of the two"),
        ({"op": "add", "view": "left", "frame": 0, "box": [0, 0, 9, 9], "minus": [[1, 2]]}, "a box needs none"),
        ({"op": "add", "view": "left", "frame": 0, "points": [[1, 2, 3]]}, "points is [[1, 2, 3]]; it is a list of [x, y]"),
        ({"op": "add", "view": "left", "frame": 0, "points": [[1, math.nan]]}, "it is a list of [x, y]"),
        ({"op": "add", "view": "left", "frame": 0, "points": [[5000, 3]]}, "5000,3 lies outside of the eye's picture"),
        ({"op": "split", "person": 1, "frame": 0}, "not there on both sides"),
        ({"op": "merge", "person": 1, "into": 1}, "into themselves"),
        ({"op": "rename", "person": 1, "name": "person02"}, "two people are called"),
        ({"op": "rename", "person": 1, "name": "1st"}, "a letter first"),
        ({"op": "remove", "person": 1, "first": 5, "last": 2}, "after last"),
        ({"op": "add", "view": "left", "frame": 0, "box": [5000, 0, 6000, 9]}, "outside the eye's picture"),
    ],
)
def test_what_is_wrong_with_an_edit_is_said_and_nothing_changes(scene, wrong, said):
    clip, plan = scene
    before = plan.to_json()
    with pytest.raises(PlanError, match="edits\\[1\\]") as info:
        apply_edits(plan, [{"op": "exclude", "person": 1}, wrong], clip)
    assert said in str(info.value) and plan.to_json() == before


EDITS = st.one_of(
    st.fixed_dictionaries({"op": st.just("split"), "person": st.integers(1, 4), "frame": st.integers(0, 9)}),
    st.fixed_dictionaries({"op": st.just("merge"), "person": st.integers(1, 4), "into": st.integers(1, 4)}),
    st.fixed_dictionaries({"op": st.just("remove"), "person": st.integers(1, 4), "first": st.integers(0, 9), "last": st.integers(0, 9)}),
    st.fixed_dictionaries(
        {"op": st.just("absent"), "person": st.integers(1, 4), "first": st.integers(0, 9), "view": st.sampled_from(["left", "right"])}
    ),
    st.fixed_dictionaries({"op": st.just("exclude"), "person": st.integers(1, 4), "exclude": st.booleans()}),
)

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 12), st.floats(), st.text(max_size=4), st.lists(st.floats(), max_size=5),
    st.sampled_from(["left", "right", "person01", "A", "confidence", 2**70, 10**5000, "\ud800", {}, [[]], b"x"]),
)  # fmt: skip
KEYS = ["person", "into", "view", "frame", "first", "last", "box", "name", "exclude", "seconds", "follow", "op"]
ANYTHING = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), ODD, max_size=6).flatmap(
    lambda d: st.sampled_from(OPERATIONS).map(lambda op: {"op": op, **d, "follow": False} if op == "add" else {"op": op, **d})
)


@hyp(max_examples=60)
@given(st.lists(EDITS | ANYTHING, max_size=5))
def test_any_row_of_edits_gives_a_valid_plan_or_an_error(scene, edits):
    clip, plan = scene
    for one in edits:
        try:
            plan = apply_edits(plan, [one], clip)
        except PlanError as error:
            assert 0 < len(str(error).encode()) < 2000
    assert Plan.from_data(json.loads(plan.to_json()), clip).to_json() == plan.to_json()
    assert len({p.id for p in plan.people}) == len(plan.people)


def test_two_people_change_names(scene):
    """What is new is looked at edit by edit, so the names go by way of a third one; all of it at the end."""
    clip, plan = scene
    one, two = plan.people[0].name, plan.people[1].name
    ways = [("between", 1), (one, 2), (two, 1)]
    new = apply_edits(plan, [{"op": "rename", "person": k, "name": name} for name, k in ways], clip)
    assert [p.name for p in new.people] == [two, one]
    with pytest.raises(PlanError, match=r"edits\[1\] \(rename\): .*two people are called"):
        apply_edits(plan, [{"op": "exclude", "person": 1}, {"op": "rename", "person": 1, "name": two}], clip)
