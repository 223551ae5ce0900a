"""Alphas as functions of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.matte.contract import EyeAlpha, Refined, constant


def test_an_alpha_is_a_linear_function_of_the_picture_with_contrast_about_one_half():
    rng = np.random.default_rng(0)
    coefficients, guide = rng.normal(0, 0.5, (5, 7, 4)).astype(np.float32), rng.random((5, 7, 3)).astype(np.float32)
    linear = (coefficients[..., :3].astype(np.float64) * guide).sum(axis=-1) + coefficients[..., 3]
    for gain in (1.0, 1.5, 0.5):
        value = Refined(coefficients, gain).value(guide)
        assert value.dtype == np.float32 and np.abs(value - np.clip((linear - 0.5) * gain + 0.5, 0, 1)).max() < 1e-5


def test_a_constant_does_not_depend_on_the_picture():
    alpha = np.random.default_rng(1).random((4, 6)).astype(np.float32)
    for seed in (2, 3):
        assert np.abs(constant(alpha).value(np.random.default_rng(seed).random((4, 6, 3)).astype(np.float32)) - alpha).max() < 1e-6


def test_coefficients_are_the_whole_window_unless_a_place_is_given():
    coefficients = np.zeros((50, 50, 4), np.float32)
    assert Refined(coefficients).at(100) == (0, 0, 0.5)
    assert Refined(coefficients, place=(3.0, 4.0, 2.0)).at(100) == (3, 4, 2)


def test_values_say_what_is_wrong_and_show_no_pixels():
    coefficients = np.zeros((3, 5, 4), np.float32)
    with pytest.raises(ValueError, match=r"shape \(3, 5\); they are \(h, w, 4\)"):
        Refined(coefficients[..., 0])
    with pytest.raises(ValueError, match="gain is 0"):
        Refined(coefficients, 0.0)
    with pytest.raises(ValueError, match="scale, the last of the three"):
        Refined(coefficients, 1.0, (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"alpha has the shape \(3, 5\) and luma \(4, 5\)"):
        EyeAlpha(np.zeros((3, 5)), np.zeros((4, 5)), (1, 1))
    assert repr(Refined(coefficients)) == "Refined(coefficients=float32 (3, 5, 4), gain=1.0, place=None, colour=True)"
    assert "float32 (3, 5)" in repr(EyeAlpha(coefficients[..., 0], coefficients[..., 1], (1, 1)))
