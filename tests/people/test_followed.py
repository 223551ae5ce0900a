"""What is said of somebody who was followed, but not everywhere."""

from vr180_ofx.people.edit import apply_edits
from vr180_ofx.people.followed import told_where_missing


def _nobody():
    raise AssertionError("nobody is followed here")


def _told(old, new, edit):
    return told_where_missing(old, new, [edit], fps=12, first_number=1001, plan_name="a.json")


def test_where_they_are_missing_and_what_to_do(planned):
    clip, plan = planned
    add = {"op": "add", "view": "left", "frame": 2, "box": [10, 10, 60, 110], "name": "cy"}
    made = apply_edits(plan, [{**add, "follow": False}], clip, load_segmenter=_nobody)
    (said,) = _told(plan, made, add)
    there = made.track(made.people[-1], "left").bodies
    assert set(there) != set(range(10)) and f"cy was followed in frames {min(there) + 1001}" in said
    assert "not found in" in said and said.endswith("edit a.json add --point x,y@FRAME:left --into cy")
    # no further than was asked for
    assert "1010" in said and "1010" not in _told(plan, made, {**add, "seconds": 0.25})[0]


def test_nothing_is_said_of_who_is_everywhere_or_was_not_to_be_followed(planned):
    clip, plan = planned
    add = {"op": "add", "view": "left", "frame": 2, "box": [10, 10, 60, 110], "name": "cy", "follow": False}
    made = apply_edits(plan, [add], clip, load_segmenter=_nobody)
    assert _told(plan, made, add) == []
    assert _told(plan, made, {**add, "follow": True, "seconds": 0}) == []
    assert _told(plan, plan, {**add, "follow": True}) == []
