"""Ranges of frames in which somebody is out of sight, held against sets of frames."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.people.absence import holds, joined, marked, of_both, ranges_of, shots_without, subtracted

RANGE = st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1]))
RANGES = st.lists(RANGE, max_size=5)


def frames(ranges):
    return {n for a, b in ranges for n in range(a, b + 1)}


@given(RANGES)
def test_joined_holds_the_same_frames_in_order_and_apart(ranges):
    made = joined(ranges)
    assert frames(made) == frames(ranges)
    assert all(a <= b for a, b in made) and all(y[0] > x[1] + 1 for x, y in pairwise(made))
    assert all(holds(made, n) == (n in frames(ranges)) for n in range(40))


@given(RANGES, RANGE)
def test_subtracting_takes_just_those_frames(ranges, gone):
    assert frames(subtracted(ranges, gone)) == frames(ranges) - frames([gone])


@given(st.integers(1, 39), RANGES)
def test_shots_are_cut_where_somebody_is_absent_and_cuts_stay(cut, absent):
    shots = [(0, cut - 1), (cut, 39)]
    left = shots_without(shots, absent)
    assert frames(left) == set(range(40)) - frames(absent) and left == sorted(left)
    # no part lies in two shots
    assert not any(a < cut <= b for a, b in left)


def test_marks_are_set_and_taken_back_in_one_eye():
    made = marked({}, ("left", "right"), 5, 9, absent=True)
    assert made == {"left": [[5, 9]], "right": [[5, 9]]}
    made = marked(made, ("left",), 7, 7, absent=False)
    assert made == {"left": [[5, 6], [8, 9]], "right": [[5, 9]]}
    assert marked(made, ("left", "right"), 0, 20, absent=False) == {}


@given(RANGES, RANGES, RANGES, RANGES)
def test_of_two_who_are_one_marks_count_where_the_other_is_not(one, other, there, other_there):
    made = of_both({"left": one}, {"left": other}, {"left": there}, {"left": other_there})
    assert frames(made.get("left", [])) == (frames(one) - frames(other_there)) | (frames(other) - frames(there))
    assert made == of_both({"left": other}, {"left": one}, {"left": other_there}, {"left": there})


def test_frames_become_ranges():
    assert ranges_of({3, 1, 2, 7}) == [(1, 3), (7, 7)]
