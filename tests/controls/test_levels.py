"""Clips, gamma, softness, against closed forms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.controls.levels import levels
from vr180_ofx.settings.edges import EdgesSettings

A = np.linspace(0, 1, 1025, dtype=np.float32)


@given(st.floats(0, 0.49), st.floats(0.51, 1))
def test_clips_are_a_straight_line_between_them(black, white):
    made = levels(A, EdgesSettings(black_clip=black, white_clip=white))
    np.testing.assert_allclose(made, np.interp(A, [black, white], [0, 1]), atol=1e-5)
    # as frames hold them, in half
    assert made[0] == 0 and np.float16(made[-1]) == 1


@given(st.floats(0.1, 10))
def test_gamma_is_a_power(gamma):
    np.testing.assert_allclose(levels(A, EdgesSettings(gamma=gamma)), A.astype(float) ** (1 / gamma), atol=1e-6)


@given(st.floats(-4, 1))
def test_a_logistic_ramp_becomes_so_many_times_as_wide(softness):
    x = np.linspace(-6, 6, 301)
    ramp, wider = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-x / 2**softness))
    np.testing.assert_allclose(levels(ramp.astype(np.float32), EdgesSettings(softness=softness)), wider, atol=1e-4)


@given(st.floats(-1, 1))
def test_softness_is_undone_by_its_negative_and_treats_both_sides_alike(softness):
    made = levels(A, EdgesSettings(softness=softness))
    np.testing.assert_allclose(levels(made, EdgesSettings(softness=-softness)), A, atol=2e-3)
    np.testing.assert_allclose(levels(1 - A, EdgesSettings(softness=softness)), 1 - made, atol=2e-3)


def test_what_it_is_given_it_does_not_change():
    given_alpha = A.copy()
    levels(A, EdgesSettings(gamma=2, black_clip=0.1))
    assert np.array_equal(A, given_alpha) and levels(A, EdgesSettings()) is not A
