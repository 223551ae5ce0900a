"""Where an alpha is uncertain: neither nobody nor wholly somebody."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.matte.parameters import UncertaintyParameters


def uncertainty(alpha: FloatArray, parameters: UncertaintyParameters, margin_px: int = 0) -> FloatArray:
    """(h, w) float32: 1 where an alpha is uncertain and ``margin_px`` pixels around, 0 elsewhere, soft between.

    alpha: (h, w) float32 0..1.
    """
    mask = within(alpha, parameters.least_alpha, 1 - parameters.least_alpha)
    if margin_px:
        mask = np.asarray(cv2.dilate(mask, np.ones((2 * margin_px + 1, 2 * margin_px + 1), np.uint8)), np.uint8)
    out: FloatArray = cv2.GaussianBlur(mask, (0, 0), parameters.soft_px).astype(np.float32) / np.float32(255)
    return out


def within(values: FloatArray, low: float, high: float) -> npt.NDArray[np.uint8]:
    """255 where low <= value <= high, else 0. values: (h, w)."""
    return np.asarray(cv2.inRange(values, low, high), np.uint8)
