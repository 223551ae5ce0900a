"""Mattes of several people made at once and given back, against what can be said of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.controls.sharing import Shares, together
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch


def patch(rect: Rect, alpha: np.ndarray, confidence: float = 1.0) -> Patch:
    return Patch(rect, alpha.astype(np.float32), np.full(alpha.shape, confidence, np.float32))


def block(rect: Rect, value: float = 1.0, confidence: float = 1.0) -> Patch:
    return patch(rect, np.full((rect.height, rect.width), value), confidence)


def test_together_they_are_the_sum_and_the_least_trust():
    made = together({1: block(Rect(0, 0, 20, 20), 0.7, 0.9), 2: block(Rect(10, 10, 30, 30), 0.5, 0.4)}, Rect(0, 0, 40, 25))
    assert (made.alpha[5, 5], made.alpha[15, 15], made.alpha[22, 25]) == pytest.approx((0.7, 1, 0.5)) and made.alpha[22, 35] == 0
    assert (made.confidence[5, 5], made.confidence[15, 15], made.confidence[2, 35]) == pytest.approx((0.9, 0.4, 1))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_all_of_what_was_made_is_given_back_and_who_was_there_alone_gets_all(count, reach, seed):
    random = np.random.default_rng(seed)
    rect = Rect(30, 20, 330, 240)
    people = {}
    taken = np.zeros((300, 400), np.float32)
    for number in range(1, count + 1):
        x, y = int(random.integers(30, 250)), int(random.integers(20, 180))
        own = Rect(x, y, x + int(random.integers(5, 80)), y + int(random.integers(5, 60)))
        alpha = np.minimum(random.random((own.height, own.width)) ** 0.3, 1 - taken[own.slices])
        taken[own.slices] += alpha
        people[number] = patch(own, alpha)
    made = block(rect)
    made.alpha[...] = random.random(made.alpha.shape)
    parts = Shares(people, rect, reach).of(made, dict.fromkeys(people, rect))
    total = np.sum([p.alpha for p in parts.values()], axis=0)
    assert np.abs(total - made.alpha).max() < 1e-5
    owns = {p: np.zeros((300, 400), np.float32) for p in people}
    for p, q in people.items():
        owns[p][q.rect.slices] = q.alpha
    for p, part in parts.items():
        others = np.sum([o for q, o in owns.items() if q != p], axis=0)[rect.slices]
        share = part.alpha / np.maximum(made.alpha, 1e-6)
        full = (owns[p][rect.slices] + others > 0.999) & (made.alpha > 0.01)
        assert np.abs(share - owns[p][rect.slices])[full].max(initial=0) < 2e-3


def test_where_nobody_was_near_the_nearest_gets_it():
    ring = np.ones((120, 120), np.float32)
    ring[20:100, 20:100] = 0
    people = {1: patch(Rect(20, 20, 140, 140), ring), 2: block(Rect(150, 20, 250, 140))}
    rect = Rect(0, 0, 260, 160)
    made = block(rect, 0.8)
    parts = Shares(people, rect, 3).of(made, dict.fromkeys(people, rect))
    assert parts[1].alpha[60:100, 60:100].min() == pytest.approx(0.8) and parts[2].alpha[60:100, 60:100].max() == 0
    assert parts[2].alpha[60:100, 255].min() == pytest.approx(0.8)
