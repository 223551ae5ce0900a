"""Morphology with ellipses, against straight edges and shapes that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.imaging.ellipse import Ellipse, dilate_by, erode_by, margins


def edge(angle: float, at: float, size: int = 110, ramp: float = 1.5) -> np.ndarray:
    """A straight edge: 1 on the side that ``angle`` points away from, ``at`` pixels from the middle."""
    y, x = np.mgrid[0:size, 0:size] + 0.5 - size / 2
    made: np.ndarray = np.clip((at - x * math.cos(angle) - y * math.sin(angle)) / ramp + 0.5, 0, 1).astype(np.float32)
    return made


def inner(values: np.ndarray, margin: tuple[int, int]) -> np.ndarray:
    return values[margin[1] : values.shape[0] - margin[1], margin[0] : values.shape[1] - margin[0]]


def off_by(made: np.ndarray, angle: float, at: float, margin: tuple[int, int], ramp: float) -> float:
    """By how many pixels an edge is not where it should be, on average, from how much more is covered."""
    wanted, one_more = (inner(edge(angle, x, ramp=ramp), margin).sum(dtype=float) for x in (at, at + 1.0))
    return float((made.sum(dtype=float) - wanted) / (one_more - wanted))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 20), st.floats(0, 2 * math.pi), st.sampled_from([1.5, 4.0, 9.0]))
def test_a_straight_edge_of_any_direction_moves_by_the_radius_and_keeps_its_profile(radius, angle, ramp):
    e = Ellipse.circle(radius)
    margin = margins(e)
    grown = dilate_by(edge(angle, 0, ramp=ramp), e, margin)
    assert abs(off_by(grown, angle, radius, margin, ramp)) < 0.1
    assert np.abs(grown - inner(edge(angle, radius, ramp=ramp), margin)).max() < 0.35 / ramp
    shrunk = erode_by(edge(angle, 0, ramp=ramp), e, margin)
    assert abs(off_by(shrunk, angle, -radius, margin, ramp)) < 0.1


@settings(max_examples=30, deadline=None)
@given(st.floats(1, 15), st.floats(1, 15), st.floats(0, math.pi), st.floats(0, 2 * math.pi))
def test_with_an_ellipse_it_moves_by_what_that_reaches_in_its_direction(a, b, turn, angle):
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    m = rotation @ np.diag([a * a, b * b]) @ rotation.T
    e = Ellipse(m[0, 0], m[0, 1], m[1, 1])
    normal = np.array([math.cos(angle), math.sin(angle)])
    margin = margins(e)
    grown = dilate_by(edge(angle, 0, ramp=3), e, margin)
    assert abs(off_by(grown, angle, math.sqrt(normal @ m @ normal), margin, 3)) < 0.15


def test_a_pixel_becomes_a_disc_without_gaps():
    for radius in (1.0, 4.5, 12.0):
        e = Ellipse.circle(radius)
        values = np.zeros((61, 61), np.float32)
        values[30, 30] = 1
        margin = margins(e)
        made = np.pad(dilate_by(values, e, margin), [(margin[1],) * 2, (margin[0],) * 2])
        y, x = np.mgrid[-30:31, -30:31]
        distance = np.hypot(x, y)
        assert made[distance <= radius].min() > 0.99 and made[distance >= radius + 1].max() < 0.01


def test_by_whole_pixels_values_are_exact():
    values = np.random.default_rng(1).random((30, 40)).astype(np.float32)
    e = Ellipse.circle(1.0)
    made = dilate_by(values, e, (2, 2))
    cross = np.max([values[2:-2, 2:-2], values[1:-3, 2:-2], values[3:-1, 2:-2], values[2:-2, 1:-3], values[2:-2, 3:-1]], axis=0)
    assert (made >= cross).all() and np.isin(values.max(), made)


def test_a_margin_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="a margin of"):
        dilate_by(np.zeros((9, 9), np.float32), Ellipse.circle(3), (2, 2))
    with pytest.raises(ValueError, match="no ellipse"):
        Ellipse(1, 2, 1)
