"""Mattes made at less than full resolution."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vr180_ofx.matte.upsample import upsampled


def _hair(size: int) -> np.ndarray:
    """Strands two pixels wide in front of a disc: finer than half the resolution holds."""
    alpha = np.zeros((size, size), np.float32)
    cv2.circle(alpha, (size // 2, size // 2), size // 4, 1, -1, cv2.LINE_AA)
    for angle in np.arange(0, 6.28, 0.15):
        end = (int(size / 2 + 0.42 * size * np.cos(angle)), int(size / 2 + 0.42 * size * np.sin(angle)))
        cv2.line(alpha, (size // 2, size // 2), end, 1, 2, cv2.LINE_AA)
    return np.clip(alpha, 0, 1)


@pytest.mark.parametrize("factor", [2, 4])
def test_strands_thinner_than_the_small_picture_come_back_from_the_large_one(factor):
    truth = _hair(256)
    luma = 0.2 + 0.5 * truth
    small = (256 // factor, 256 // factor)
    alpha = cv2.resize(truth, small, interpolation=cv2.INTER_AREA)
    made = upsampled(alpha, cv2.resize(luma, small, interpolation=cv2.INTER_AREA), luma, factor)
    cubic = np.clip(cv2.resize(alpha, (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1)
    assert np.abs(made - truth).mean() < 0.25 * np.abs(cubic - truth).mean()
    assert made.min() >= 0 and made.max() <= 1


def test_a_flat_picture_adds_nothing_to_the_interpolation():
    alpha = cv2.resize(_hair(256), (64, 64), interpolation=cv2.INTER_AREA)
    grey = np.full((256, 256), 0.5, np.float32)
    made = upsampled(alpha, grey[:64, :64], grey, 4)
    assert np.array_equal(made, np.clip(cv2.resize(alpha, (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1))
