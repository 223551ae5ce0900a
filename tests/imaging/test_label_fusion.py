"""Labels from a picture that looks nearly the same."""

from __future__ import annotations

import numpy as np

from vr180_ofx.imaging.label_fusion import fused_labels, perceptual


def textured(height, width, seed=3):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (height, width, 3)).astype(np.float32)


def grid(height, width):
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([xs, ys], axis=-1)


def fused(now, before, labels, places, radius=3):
    return fused_labels(perceptual(now), perceptual(before), labels, places, patches=(3, 5), radius=radius, differs=6.0)


def test_labels_follow_what_they_are_on_within_the_radius():
    before = textured(24, 30)
    labels = np.zeros((24, 30, 2), np.float32)
    labels[8:16, 10:20] = 1
    now = np.roll(before, (2, -3), (0, 1))
    made = fused(now, before, labels, grid(24, 30))
    expected = np.roll(labels, (2, -3), (0, 1))
    inside = np.s_[5:-5, 6:-6]
    assert np.abs(made - expected)[inside].max() < 0.05
    # and from where they are said to come from, it need not be looked for
    near = fused(now, before, labels, grid(24, 30) + np.array([3, -2], np.float32), radius=1)
    assert np.abs(near - expected)[inside].max() < 0.05


def test_what_looks_like_nothing_before_has_no_label():
    before, now = np.zeros((12, 12, 3), np.float32), np.ones((12, 12, 3), np.float32)
    made = fused(now, before, np.ones((12, 12, 2), np.float32), grid(12, 12))
    assert made.max() < 1e-6


def test_lightness_is_cie_s():
    # grey of half the linear light, L* = 116 * 0.5^(1/3) - 16
    grey = 1.055 * 0.5 ** (1 / 2.4) - 0.055
    lab = perceptual(np.full((2, 2, 3), grey, np.float32))
    assert np.allclose(lab[..., 0], 116 * 0.5 ** (1 / 3) - 16, atol=0.1) and np.abs(lab[..., 1:]).max() < 0.1
