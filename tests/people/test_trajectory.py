"""From entries to a way through every frame."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.people.parameters import TrajectoryParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.trajectory import gaussian, make_track, runs, shot_of
from vr180_ofx.vr180.body import Body

DEFAULT = TrajectoryParameters()
FPS = 24.0


def entry(longitude=0.0, latitude=-0.2, reach=0.4, roll=0.0, **more):
    return Entry(Body(longitude, latitude, reach, roll), (100.0, 200.0, 150.0, 330.0), more.pop("score", 0.9), **more)


def track(entries, shots=((0, 99),), fps=FPS, parameters=DEFAULT):
    return make_track(entries, shots, fps, parameters)


def test_nobody_is_nowhere():
    nothing = track({})
    assert not nothing.has(0) and nothing.bodies == {} and nothing.anchors == frozenset()


@given(st.floats(-0.03, 0.03), st.floats(-0.002, 0.002), st.integers(1, 4))
def test_steady_motion_stays_as_it_is(speed, rise, step):
    """Smoothing has no delay: along a line, also at its ends, nothing changes."""
    entries = {n: entry(-0.5 + speed * n, -0.2 + rise * n) for n in range(0, 41, step)}
    made = track(entries)
    for n in range(41):
        if made.has(n) and n <= max(entries):
            assert made.bodies[n].longitude == pytest.approx(-0.5 + speed * n, abs=1e-9)
            assert made.bodies[n].latitude == pytest.approx(-0.2 + rise * n, abs=1e-9)


@given(st.sets(st.integers(0, 99), min_size=1, max_size=30), st.sampled_from([12.0, 24.0, 59.94]))
def test_every_frame_between_near_entries_and_none_between_far_ones(frames, fps):
    shots = ((0, 39), (40, 99))
    made = track({n: entry() for n in frames}, shots, fps)
    assert frames <= set(made.bodies) <= set(range(100))
    assert set(made.bodies) == set(made.boxes) == set(made.scores)
    gap = max(1.0, DEFAULT.gap_s * fps)
    known = sorted(frames)
    for a, b in pairwise(known):
        inside = set(range(a + 1, b))
        near = b - a <= gap and shot_of(shots, a) == shot_of(shots, b)
        if near:
            assert inside <= set(made.bodies)
        elif shot_of(shots, a) == shot_of(shots, b):
            assert not inside & set(made.bodies)
    # each stretch begins where somebody comes into sight
    starts = {n for n in made.bodies if n - 1 not in made.bodies or shot_of(shots, n) != shot_of(shots, n - 1)}
    assert starts <= made.anchors and made.first == min(made.bodies)


def test_entries_are_split_where_somebody_is_out_of_sight_or_a_shot_ends():
    assert runs([0, 2, 4, 30, 32], ((0, 99),), 18) == [[0, 2, 4], [30, 32]]
    assert runs([0, 2, 4, 5], ((0, 2), (3, 99)), 18) == [[0, 2], [4, 5]]
    assert runs([], ((0, 9),), 18) == []


def test_entries_hold_to_the_ends_of_a_shot_for_one_look():
    sampled = {n: entry() for n in range(4, 95, 3)}
    assert sorted(track(sampled).bodies) == list(range(4, 95))
    near = {n: entry() for n in range(3, 97, 3)}
    assert sorted(track(near).bodies) == list(range(100))
    # alone: two frames of 24 a second
    assert sorted(track({2: entry()}, ((0, 9),)).bodies) == [0, 1, 2] and sorted(track({3: entry()}, ((0, 9),)).bodies) == [3]


def test_angles_take_the_shorter_way_round():
    turning = track({0: entry(roll=3.0), 10: entry(roll=-3.0)}, ((0, 10),))
    assert all(abs(b.roll) >= 3.0 - 1e-9 for b in turning.bodies.values())


def test_boxes_and_scores_are_interpolated_and_occluders_are_those_of_the_nearest_entry():
    a = Entry(Body(0, 0, 0.3), (0.0, 0.0, 10.0, 10.0), 0.5, occluders=(7,))
    b = Entry(Body(0, 0, 0.3), (10.0, 20.0, 20.0, 30.0), 1.0)
    made = track({0: a, 10: b}, ((0, 10),))
    assert made.boxes[5] == pytest.approx((5, 10, 15, 20)) and made.scores[5] == pytest.approx(0.75)
    assert sorted(made.occluders) == [0, 1, 2, 3, 4, 5] and set(made.occluders.values()) == {(7,)}


def test_what_somebody_corrected_is_an_anchor():
    made = track({n: entry(source="edited" if n == 6 else "tracked") for n in range(0, 20, 2)})
    assert made.anchors == {0, 6}


@given(st.floats(0.5, 4), st.integers(0, 3))
def test_the_kernel_is_a_gaussian(sigma, column):
    """An impulse becomes the bell curve, and the sum stays."""
    values = np.zeros((101, 4))
    values[50, column] = 1.0
    out = gaussian(values, sigma)
    bell = np.exp(-0.5 * ((np.arange(101) - 50) / sigma) ** 2)
    bell[np.abs(np.arange(101) - 50) > math.ceil(3 * sigma)] = 0
    assert out[:, column] == pytest.approx(bell / bell.sum()) and np.abs(np.delete(out, column, axis=1)).max() == 0


def test_other_numbers_give_another_way():
    entries = {0: entry(0.0), 4: entry(0.3), 8: entry(0.0), 40: entry(0.0)}
    assert not track(entries).has(30) and track(entries, parameters=TrajectoryParameters(gap_s=2.0)).has(30)
    sharp = track(entries, parameters=TrajectoryParameters(smoothing_s=0.0))
    assert sharp.bodies[4].longitude == pytest.approx(0.3) and track(entries).bodies[4].longitude < 0.29
