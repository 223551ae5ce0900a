"""What a plan says of somebody by eye and frame."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import PlanError
from vr180_ofx.people.by_frame import by_frame


def read(data):
    return by_frame(data, lambda row, place: f"{row} at {place}", views=("left", "right"), frames=10, where="p", what="a text")


def test_each_is_read_with_its_place():
    assert read({"left": {"3": "a", "9": "b"}, "right": {}}) == {"left": {3: "a at p.left.3", 9: "b at p.left.9"}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (3, "p is 3; it is an object of views, each an object of frames, each a text"),
        ({"up": {}}, "p has 'up'; this clip has left, right"),
        ({"left": []}, "p.left is []; it is an object of frames, each a text"),
        ({"left": {"10": "a"}}, "p.left has '10'; frames are numbers from 0 to 9"),
        ({"left": {"x": "a"}}, "p.left has 'x'; frames"),
        ({"left": {"3": "a", "03": "b"}}, "p.left.03: frame 3 is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(data, said):
    with pytest.raises(PlanError) as error:
        read(data)
    assert said in str(error.value)
