"""Corrections by points on the demo clip: parts are taken off true mattes, or added, and points bring back what the truth has."""

from __future__ import annotations

import numpy as np
import pytest

from tests.controls.corrections import FIRST, Frames, demo_frames, error, headless, mattes, plan_of, whole
from tests.controls.frames import Given
from vr180_ofx.controls.points import PointCorrections
from vr180_ofx.imaging.parts import bounds


@pytest.fixture(scope="module")
def demo():
    yield from demo_frames()


def corrected(clip, alphas, wrong, points, n, **how):
    """(the left eye's matte of person 1, what was said)."""
    control = PointCorrections(plan_of(clip, alphas, points), **how)
    around = Frames(clip, wrong)
    if not control.identity(n):
        return around.mattes(n), around.said
    return control.apply(n, around.mattes(n), around), around.said.get("points", {})


def test_a_plus_point_brings_a_head_back_and_takes_it_along(demo):
    """A point says what was meant; the truth says how much of it came back, in the frame and in those beside it, until it ends."""
    clip, alphas = demo
    wrong, point = headless(alphas)
    points = {"left": {str(FIRST): {"plus": [point]}}}
    for n, least in ((FIRST, 0.75), (FIRST + 2, 0.5), (0, 0.5)):
        made, said = corrected(clip, alphas, wrong, points, n)
        truth = alphas[n]["left"][1]
        before, after = error(wrong[n]["left"][1], truth), error(whole(made["left"]), truth)
        assert after < (1 - least) * before, (n, before, after, said)
        assert np.array_equal(whole(made["left"], 2) > 0.5, wrong[n]["left"][2] > 0.5)
    assert said["1 left 2"] == "carried over 2 frames"


def test_frames_are_the_same_in_any_order(demo):
    clip, alphas = demo
    wrong, point = headless(alphas)
    points = {"left": {str(FIRST): {"plus": [point]}}}
    control, around = PointCorrections(plan_of(clip, alphas, points)), Frames(clip, wrong)
    first = [control.apply(n, around.mattes(n), around)["left"].people[1] for n in (4, 3, 2)]
    again = [control.apply(n, around.mattes(n), around)["left"].people[1] for n in (2, 3, 4)]
    for a, b in zip(first, reversed(again), strict=True):
        assert a.rect == b.rect and np.array_equal(a.alpha, b.alpha)


def test_the_other_eye_gets_what_surely_is_the_same(demo):
    """The head is missing in both eyes; a point in the left one alone."""
    clip, alphas = demo
    wrong, point = headless(alphas, ("left", "right"))
    made, said = corrected(clip, alphas, wrong, {"left": {str(FIRST): {"plus": [point]}}}, FIRST)
    truth = alphas[FIRST]["right"][1]
    assert said["1 left 2 in right"] == "by disparity"
    assert error(whole(made["right"]), truth) < 0.4 * error(wrong[FIRST]["right"][1], truth)


def test_a_minus_point_takes_away_what_is_not_theirs(demo):
    """The other one's head was taken for a part of person 1."""
    clip, alphas = demo
    wrong = {n: {v: dict(own) for v, own in people.items()} for n, people in alphas.items()}
    r = bounds(alphas[FIRST]["left"][2] > 0.5)
    rows = slice(r.y0, r.y0 + r.height // 7)
    theirs = alphas[FIRST]["left"][2][rows]
    wrong[FIRST]["left"][1] = wrong[FIRST]["left"][1].copy()
    wrong[FIRST]["left"][1][rows] += theirs
    ys, xs = np.nonzero(theirs > 0.9)
    k = np.argmin(np.hypot(xs - xs.mean(), ys - ys.mean()))
    point = [float(xs[k]) + 0.5, float(ys[k] + r.y0) + 0.5]
    made, said = corrected(clip, alphas, wrong, {"left": {str(FIRST): {"minus": [point]}}}, FIRST)
    truth = alphas[FIRST]["left"][1]
    assert error(whole(made["left"]), truth) < 0.4 * error(wrong[FIRST]["left"][1], truth), said


def test_what_has_no_edge_is_left_and_said(demo):
    """In a picture without anything to see nothing says how far a point reaches."""
    clip, alphas = demo
    wrong, point = headless(alphas)
    points = {"left": {str(FIRST): {"plus": [point]}}}
    control, around = PointCorrections(plan_of(clip, alphas, points)), Given(clip, mattes(clip, wrong[FIRST]), grey=True)
    made = control.apply(FIRST, around.mattes(FIRST), around)
    assert np.array_equal(whole(made["left"]), wrong[FIRST]["left"][1])
    assert "no edge around" in around.said["points"]["1 left 2"]


def test_a_draft_and_frames_far_away_are_left_alone(demo):
    clip, alphas = demo
    wrong, point = headless(alphas)
    plan = plan_of(clip, alphas, {"left": {str(FIRST): {"plus": [point]}}})
    assert not PointCorrections(plan).identity(FIRST + 13) and PointCorrections(plan).identity(FIRST + 12)
    assert not PointCorrections(plan, alone=True).identity(FIRST + 1) and PointCorrections(plan, alone=True).identity(FIRST)
    assert PointCorrections(plan).neighbours(FIRST + 3) == (FIRST,) and PointCorrections(plan).neighbours(FIRST) == ()
