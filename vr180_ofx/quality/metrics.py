"""How far a matte is from the truth.

Definitions: SAD, MSE, Grad, Conn as in Rhemann et al. 2009, "A perceptually motivated online benchmark for image matting";
dtSSD as in Erofeev et al. 2015, "Perceptually motivated benchmark for video matting". Units are said with each.
"""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.filter import separable
from vr180_ofx.imaging.morphology import dilate, erode, square
from vr180_ofx.imaging.parts import bounds, connected_parts
from vr180_ofx.imaging.sample import sample

#: Half the width of the boundary band at an eye of 1024 pixels; it grows with the eye.
BAND_PIXELS_AT_1024 = 5


#: What is covered by more is more than half covered. Half floats just above a half lie 2^-11 apart: with a limit in the middle of the first
#: step a truth of 16 bits and the same as half floats are more than half covered in the same pixels. Of 64 samples of a pixel one in 65
#: hits exactly a half, and 16 bits have none: 32768 of 65535 is a little more.
COVERED = 0.5 + 2.0**-12


def mad(a: FloatArray, b: FloatArray) -> float:
    """Mean absolute difference over all pixels."""
    return float(np.abs(a - b).mean())


def mse(a: FloatArray, b: FloatArray) -> float:
    """Mean squared difference over all pixels."""
    return float(np.square(a - b).mean())


def sad(a: FloatArray, b: FloatArray) -> float:
    """Sum of absolute differences, in thousands."""
    return float(np.abs(a - b).sum() / 1000)


def iou(a: FloatArray, b: FloatArray) -> float:
    """Intersection over union of what is more than half covered; 1 when both are empty."""
    p, q = a > COVERED, b > COVERED
    union = np.count_nonzero(p | q)
    return float(np.count_nonzero(p & q) / union) if union else 1.0


def boundary_band(truth: FloatArray, radius: int) -> BoolArray:
    """Pixels within ``radius`` (a square neighbourhood) of the truth's half-covered outline."""
    inside = truth > 0.5
    return dilate(inside, square(radius)) & ~erode(inside, square(radius))


def band_radius(eye_width: int) -> int:
    return max(1, round(BAND_PIXELS_AT_1024 * eye_width / 1024))


def band_mad(a: FloatArray, truth: FloatArray, radius: int) -> float | None:
    """Mean absolute difference in the boundary band; None when the truth has no outline."""
    band = boundary_band(truth, radius)
    return float(np.abs(a - truth)[band].mean()) if band.any() else None


def gradient_error(a: FloatArray, truth: FloatArray, sigma: float = 1.4) -> float:
    """Sum of squared differences of the gradient magnitudes (first Gaussian derivatives), in thousands."""
    return float(np.square(_gradient(a, sigma) - _gradient(truth, sigma)).sum() / 1000)


def _gradient(x: FloatArray, sigma: float) -> FloatArray:
    radius = int(np.ceil(sigma * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * sigma * 1e-2))))
    t = np.arange(-radius, radius + 1, dtype=np.float64)
    g = np.exp(-(t**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    dg = -t * g / sigma**2
    kernel = np.outer(g, dg)
    norm = np.sqrt(np.square(kernel).sum())
    g, dg = g / np.sqrt(norm), dg / np.sqrt(norm)
    x = x.astype(np.float32)
    out: FloatArray = np.hypot(separable(x, dg, g), separable(x, g, dg))
    return out


def connectivity_error(a: FloatArray, truth: FloatArray, step: float = 0.1) -> float:
    """Sum of differences of the connectivity to the largest region that both cover, in thousands (theta 0.15)."""
    # where both are empty nothing is connected, and nothing differs
    box = bounds((a > 0) | (truth > 0))
    if box.empty:
        return 0.0
    there = box.slices
    a, truth = np.ascontiguousarray(a[there]), np.ascontiguousarray(truth[there])
    thresholds = np.arange(0, 1 + step, step)
    level = np.full(a.shape, -1.0, np.float32)
    for k in range(1, thresholds.size):
        parts = connected_parts((a >= thresholds[k]) & (truth >= thresholds[k]), 4)
        omega = parts.labels == int(np.argmax(parts.areas)) if len(parts) else np.zeros(a.shape, bool)
        level[(level == -1) & ~omega] = thresholds[k - 1]
    level[level == -1] = 1
    da, dt = a - level, truth - level
    phi_a = 1 - da * (da >= 0.15)
    phi_t = 1 - dt * (dt >= 0.15)
    return float(np.abs(phi_a - phi_t).sum() / 1000)


def dtssd(a: FloatArray, a_before: FloatArray, truth: FloatArray, truth_before: FloatArray) -> float:
    """Square root of the mean squared difference of the changes over time, in percent of the range of alpha x 100."""
    return float(np.sqrt(np.square((a - a_before) - (truth - truth_before)).mean()) * 100)


def warp(left: FloatArray, places: FloatArray, valid: BoolArray) -> FloatArray:
    """The left eye's values at the places of the right eye's pixels.

    places: (h, w, 2) for the right eye's pixels, continuous pixels of the left eye. Where ``valid`` is False the result is NaN.
    Cubic, because linear interpolation would soften the edges of what is warped and of nothing else.
    """
    out: FloatArray = np.where(valid, np.clip(sample(left.astype(np.float32), places, interpolation="cubic"), 0, 1), np.nan)
    return out
