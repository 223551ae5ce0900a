"""The detail of the full picture in an alpha that was made at a lower resolution."""

from __future__ import annotations

import numpy as np

from tests.matte.shapes import texture
from vr180_ofx.matte.detail import slope, with_detail


def test_in_the_picture_that_it_was_made_with_an_alpha_is_as_it_is():
    alpha, guide = texture(0, 60, 80), np.random.default_rng(1).random((60, 80, 3)).astype(np.float32)
    assert np.abs(with_detail(alpha, guide).value(guide) - alpha).max() < 1e-6


def test_an_alpha_that_is_linear_in_luma_follows_a_finer_picture():
    luma = texture(2, 60, 80, 1.0)
    guide = np.zeros((60, 80, 3), np.float32)
    guide[..., 0] = luma
    refined = with_detail((0.2 + 0.5 * luma).astype(np.float32), guide)
    finer = guide.copy()
    finer[..., 0] += 0.1 * texture(3, 60, 80, 1.0)
    truth = 0.2 + 0.5 * finer[..., 0]
    assert np.abs(refined.value(finer) - truth).mean() < 0.2 * np.abs(refined.value(guide) - truth).mean()


def test_a_texture_that_does_not_explain_alpha_adds_nothing():
    rng = np.random.default_rng(4)
    edge = np.clip((np.arange(80) - 40) / 6 + 0.5, 0, 1).astype(np.float32) * np.ones((60, 1), np.float32)
    telling = np.abs(slope(edge, (0.3 + 0.4 * edge).astype(np.float32)))[:, 36:44].mean()
    noise = np.abs(slope(edge, (0.5 + rng.normal(0, 0.1, edge.shape)).astype(np.float32)))[:, 36:44].mean()
    assert telling > 1.5 and noise < 0.3 * telling
    # a flat picture explains nothing
    assert np.abs(slope(edge, np.full_like(edge, 0.5))).max() == 0
