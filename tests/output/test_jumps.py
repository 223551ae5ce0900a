"""Sudden changes of somebody's area."""

import pytest

from vr180_ofx.output.jumps import BOTH, EVERYBODY, JUMPS, Row, jumps

WIDTH = 1000


def rows(areas, view="left", person="person01"):
    return [Row(n, view, person, area) for n, area in enumerate(areas)]


def test_a_frame_that_is_half_or_twice_is_a_jump_of_one():
    for factor in (0.5, 2.0):
        areas = [10_000.0] * 9
        areas[4] *= factor
        found = {row.frame: value for row, value in jumps(rows(areas), WIDTH)}
        assert found.pop(4) == pytest.approx(1) and max(found.values()) == pytest.approx(0)


def test_steady_growth_is_none():
    found = jumps(rows([10_000 * 1.05**n for n in range(20)]), WIDTH)
    assert len(found) == 20 and max(value for _, value in found[2:-2]) < 0.2 < JUMPS.limit


def test_somebody_too_small_is_not_judged():
    """Of 1000 pixels an eye, people below 20 by 20."""
    assert not jumps(rows([399.0] * 5), WIDTH) and jumps(rows([401.0] * 5), WIDTH)


def test_eyes_and_people_are_judged_by_themselves():
    both = [*rows([10_000.0] * 5), *rows([90_000.0] * 5, view="right"), *rows([40_000.0] * 5, person="person02")]
    assert all(value == 0 for _, value in jumps(both, WIDTH)) and len(jumps(both, WIDTH)) == 15
    assert not jumps([*rows([9e4, 1e4, 9e4], person=EVERYBODY), *rows([9e4, 1e4, 9e4], view=BOTH)], WIDTH)


def test_without_neighbours_nothing_is_known():
    assert jumps([Row(0, "left", "a", 1e4), Row(50, "left", "a", 9e4)], WIDTH) == [
        (Row(0, "left", "a", 1e4), 0.0),
        (Row(50, "left", "a", 9e4), 0.0),
    ]
