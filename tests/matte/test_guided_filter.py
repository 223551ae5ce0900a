"""The guided filter, against the paper's own equations."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.matte.guided_filter import guided_filter
from vr180_ofx.matte.parameters import GuidedParameters


def test_the_guided_filter_is_that_of_the_paper():
    """Equation 16-19 of He, Sun, Tang, solved pixel by pixel with loops and a linear solver."""
    rng = np.random.default_rng(2)
    size, radius, eps, weights = 24, 3, 1e-3, (1.0, 2.0, 3.0)
    guide = cv2.GaussianBlur(rng.random((size, size, 3)).astype(np.float32), (0, 0), 1.5)
    mask = (cv2.GaussianBlur(rng.random((size, size)).astype(np.float32), (0, 0), 2) > 0.5).astype(np.float32)
    c = guided_filter(guide, mask, GuidedParameters(radius, eps, 1.0, weights)).coefficients
    scaled = guide.astype(np.float64) * weights
    a, b = np.zeros((size, size, 3)), np.zeros((size, size))
    for y in range(radius, size - radius):
        for x in range(radius, size - radius):
            block = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            i, p = scaled[block].reshape(-1, 3), mask[block].reshape(-1).astype(np.float64)
            cov = np.cov(i.T, bias=True) + eps * np.eye(3)
            a[y, x] = np.linalg.solve(cov, (i * p[:, None]).mean(0) - i.mean(0) * p.mean())
            b[y, x] = p.mean() - a[y, x] @ i.mean(0)
    inner = np.s_[2 * radius : size - 2 * radius, 2 * radius : size - 2 * radius]
    box = lambda v: cv2.blur(v, (2 * radius + 1,) * 2)  # noqa: E731
    expected = (box(a) * scaled).sum(-1) + box(b)
    got = (c[..., :3] * guide).sum(-1) + c[..., 3]
    assert np.abs(got - expected)[inner].max() < 1e-4


def test_contrast_is_added_to_what_the_filter_gives():
    guide, mask = np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.float32)
    mask[:, 10:] = 1
    soft, sharp = (guided_filter(guide, mask, GuidedParameters(gain=gain)).value(guide) for gain in (1.0, 2.0))
    assert np.abs(sharp - np.clip(2 * soft - 0.5, 0, 1)).max() < 1e-6 and sharp.min() == 0 < soft.min()
