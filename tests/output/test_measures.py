"""The layers that are nobody's matte."""

import numpy as np
import pytest

from vr180_ofx.engine.frame import Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.output.measures import MEASURES, is_measure


@pytest.fixture
def matte():
    """Two people who overlap, surer and less sure, in an eye of 12 x 10 pixels."""
    ones = np.ones((4, 5), np.float16)
    people = [Layer(1, "anna", Rect(1, 2, 6, 6), ones * 0.5, ones * 0.75), Layer(2, "ben", Rect(4, 4, 9, 8), ones * 0.5, ones * 0.25)]
    return ViewMatte(12, 10, tuple(people))


def test_confidence_is_that_of_whoever_is_least_sure(matte):
    (confidence,) = (m for m in MEASURES if m.name == "confidence")
    whole = confidence.rows(matte, 0, 10)
    assert whole.dtype == np.float16 and np.array_equal(whole, matte.confidence.astype(np.float16))
    assert (whole[3, 2], whole[5, 5], whole[7, 8], whole[0, 0]) == (0.75, 0.25, 0.25, confidence.blank)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_rows_that_hold_nobody_are_blank_and_the_others_do_not_depend_on_them(measure, matte):
    whole = measure.rows(matte, 0, 10)
    assert np.array_equal(measure.rows(matte, 2, 8), whole[2:8])
    assert (whole[:2] == measure.blank).all() and (whole[8:] == measure.blank).all()


def test_only_whole_names_are_measures():
    assert is_measure("confidence") and not is_measure("confidence2") and not is_measure("anna")
