"""Somebody, and where they are at one frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.people.person import Entry, Person
from vr180_ofx.vr180.body import Body


@given(st.dictionaries(st.integers(0, 999), st.floats(0.001, 1), min_size=1, max_size=20), st.integers(-5, 1005))
def test_a_shift_is_interpolated_and_held_at_its_ends(shifts, n):
    got = Person(1, "a", {}, shifts=shifts).shift(n)
    before = max((k for k in shifts if k <= n), default=min(shifts))
    after = min((k for k in shifts if k >= n), default=max(shifts))
    share = (n - before) / (after - before) if after > before else 0.0
    assert got == pytest.approx(shifts[before] + share * (shifts[after] - shifts[before]))


def test_a_shift_that_nobody_measured():
    assert Person(1, "a", {}).shift(3) is None


@pytest.mark.parametrize("box", [(5.0, 0.0, 5.0, 9.0), (0.0, 9.0, 5.0, 2.0), (0.0, 0.0, np.nan, 2.0)])
def test_a_box_has_a_left_and_a_right(box):
    with pytest.raises(ValueError, match="left < right and top < bottom"):
        Entry(Body(0, 0, 0.3), box, 0.9)
