"""Values that change over time."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import PlanError
from vr180_ofx.people.curves import Curve, edge_curves, to_data


def test_between_keys_are_straight_lines():
    curve = Curve(((10, 0.0), (20, 5.0)))
    assert [curve.at(n) for n in (0, 10, 15, 20, 99)] == [0, 0, 2.5, 5, 5]


def test_a_file_has_numbers_or_lists_and_keeps_them():
    data = {"size": [[2, -1.5], [8, 3.0]]}
    assert to_data(edge_curves(data, 10, "edges")) == data
    assert to_data(edge_curves({"size": 2}, 10, "edges")) == {"size": 2.0}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "edges is []; it is an object"),
        ({"sice": 1}, "the key 'sice'; allowed are temporal"),
        ({"size": "1"}, "edges.size is '1'"),
        ({"size": True}, "edges.size is True"),
        ({"size": 21}, "edges.size is 21; it is a number as settings have it"),
        ({"size": [[10, 1]]}, "frames from 0 to 9"),
        ({"size": [[3, 1], [3, 2]]}, "each comes after"),
        ({"size": []}, "at least one"),
        ({"size": [[1, 2, 3]]}, "edges.size has [1, 2, 3]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(data, said):
    with pytest.raises(PlanError) as error:
        edge_curves(data, 10, "edges")
    assert said in str(error.value)


def test_what_is_no_number_stays_until_its_next_key():
    curve = Curve(((4, False), (8, True)))
    assert [curve.at(n) for n in (0, 4, 7, 8, 99)] == [False, False, False, True, True]
    data = {"keep_motion_blur": True, "unit": [[0, "pixels"], [5, "milliradians"]]}
    assert to_data(edge_curves(data, 10, "edges")) == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"keep_motion_blur": 1}, "edges.keep_motion_blur is 1; it is true or false"),
        ({"unit": "inches"}, "edges.unit is 'inches'; it is pixels or milliradians"),
        ({"unit": 3}, "edges.unit is 3"),
        ({"black_clip": 0.5}, "edges.black_clip is 0.5; it is a number"),
    ],
)
def test_what_is_wrong_with_switches_and_words_is_said(data, said):
    with pytest.raises(PlanError) as error:
        edge_curves(data, 10, "edges")
    assert said in str(error.value)
