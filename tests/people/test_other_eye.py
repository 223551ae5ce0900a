"""Whom one eye follows, the other is told of."""

import math

import numpy as np
import pytest

from vr180_ofx.people.other_eye import completed
from vr180_ofx.people.person import Entry
from vr180_ofx.vr180.body import Body, box_of
from vr180_ofx.vr180.projection import Equirectangular, Rectilinear

EYE = Equirectangular(1024, 1024)
VIEWS = ("left", "right")


def entry(longitude, projection=EYE, behind=()):
    body = Body(longitude, -0.3, 0.4, 0.1)
    return Entry(body, box_of(body, projection), 0.9, "tracked", behind)


def test_the_eye_that_did_not_see_them_gets_them_as_far_to_the_side_as_when_both_did():
    left = {n: entry(0.2 + 0.01 * n, behind=(7,)) for n in (0, 2, 4, 6)}
    right = {6: entry(0.21), 8: entry(0.22)}
    full = completed({"left": left, "right": right}, VIEWS, EYE, gap=22)
    assert sorted(full["right"]) == [0, 2, 4, 6, 8] and sorted(full["left"]) == [0, 2, 4, 6, 8]
    assert full["right"][6] is right[6] and full["left"][0] is left[0]
    told = full["right"][0]
    assert told.body.longitude == pytest.approx(0.2 - (0.26 - 0.21)) and told.body.latitude == left[0].body.latitude
    assert (told.source, told.occluders, told.score) == ("other_eye", (7,), 0.9)
    # on an equirectangular picture everything moves alike
    assert np.subtract(told.box, left[0].box) == pytest.approx([-0.05 / math.pi * 1024, 0, -0.05 / math.pi * 1024, 0], abs=0.01)
    assert full["left"][8].body.longitude == pytest.approx(0.22 + 0.05)


def test_what_lies_between_two_entries_of_its_own_is_left_to_interpolation():
    entries = {"left": {n: entry(0.2) for n in range(0, 60, 2)}, "right": {0: entry(0.1), 20: entry(0.1), 58: entry(0.1)}}
    assert sorted(completed(entries, VIEWS, EYE, gap=22)["right"]) == [0, *range(20, 59, 2)]


def test_nobody_is_told_of_whom_the_eyes_never_saw_together():
    entries = {"left": {0: entry(0.2), 2: entry(0.2)}}
    assert completed(entries, VIEWS, EYE, 22) == {"left": entries["left"], "right": {}}
    assert completed(entries, ("left",), EYE, 22) == entries


def test_nobody_is_put_outside_the_picture():
    for picture, inside, outside in ((EYE, -1.4, -1.55), (Rectilinear(800, 600, 60.0), -0.4, -0.5)):
        left = {0: entry(-0.2, picture), 2: entry(inside, picture), 4: entry(outside, picture)}
        full = completed({"left": left, "right": {0: entry(-0.3, picture)}}, VIEWS, picture, 22)
        assert sorted(full["right"]) == [0, 2]
        assert all(0 <= e.box[0] < e.box[2] <= picture.width for e in full["right"].values())
