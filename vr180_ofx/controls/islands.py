"""Small islands of a matte, and small holes in it, by their area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.lengths import Lengths, Pixels, area
from vr180_ofx.imaging.parts import connected_parts
from vr180_ofx.imaging.rect import Rect

#: Half of a step of 8 bits: what is covered by less is seen by nobody, and joins nothing.
_NOTHING = 1 / 510


def without_islands(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, least: float, lengths: Lengths
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Without the parts of a matte (which touch at sides or corners) that together cover less than ``least`` square units.

    alpha, confidence: (h, w) float32. rect: their place in the picture. Returns both in arrays of their own, or as they are. What is taken
    away is trusted as little as the least sure pixel of it.
    """
    return _small(alpha, confidence, rect, least, lengths, weight=lambda a: a, becomes=0.0, connectivity=8)


def without_holes(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, most: float, lengths: Lengths
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """With the holes filled (parts that a matte does not wholly cover, and encloses, so that they do not come to the border of ``rect``)
    that together leave less than ``most`` square units uncovered. Otherwise as `without_islands`.
    """
    return _small(alpha, confidence, rect, most, lengths, weight=lambda a: 1 - a, becomes=1.0, connectivity=4)


def _small(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, limit: float, lengths: Lengths, *, weight: Callable[[FloatArray], FloatArray],
    becomes: float, connectivity: Literal[4, 8],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    height, width = alpha.shape
    mass = weight(alpha)
    parts = connected_parts(mass > _NOTHING, connectivity)
    if not len(parts):
        return alpha, confidence
    # 0 is what is in no part
    masses = np.bincount(parts.labels.ravel() + 1, mass.ravel(), len(parts) + 1)[1:]
    x0, y0, x1, y1 = parts.boxes.T
    limits = limit * _areas(lengths, rect.x0 + (x0 + x1) / 2, rect.y0 + (y0 + y1) / 2)
    small = masses < limits
    if becomes == 1:
        # what comes to the border of the rectangle is what lies around
        small &= (x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height)
    if not small.any():
        return alpha, confidence
    where = np.concatenate([[False], small])[parts.labels + 1]
    new_alpha, new_confidence = alpha.copy(), confidence.copy()
    new_alpha[where] = becomes
    numbers, trust = parts.labels[where], confidence[where]
    order = np.argsort(numbers, kind="stable")
    firsts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    lowest = np.zeros(len(parts), np.float32)
    lowest[numbers[order][firsts]] = np.minimum.reduceat(trust[order], firsts)
    new_confidence[where] = lowest[numbers]
    return new_alpha, new_confidence


def _areas(lengths: Lengths, x: FloatArray, y: FloatArray) -> FloatArray:
    """Square pixels for a square unit at places, (n,)."""
    if isinstance(lengths, Pixels):
        return np.full(x.shape, lengths.scale**2)
    return np.array([area(lengths.ellipse(float(a), float(b))) for a, b in zip(x, y, strict=True)])
