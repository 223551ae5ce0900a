"""Small islands of a matte, and small holes in it, by their area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.controls.lengths import Lengths, Pixels, area
from vr180_ofx.imaging.parts import labelled
from vr180_ofx.imaging.rect import Rect

#: Half of a step of 8 bits: what is covered by less is seen by nobody, and joins nothing.
_NOTHING = 1 / 510
#: One row of so many is enough to see that a person, or what is around, is large.
_SOME_ROW = 16
#: Up to so many parts are left out one by one, which is quicker than to look up each pixel's.
_FEW = 8


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
    some = mass > _NOTHING
    count, labels = labelled(some, connectivity)
    if not count:
        return alpha, confidence
    most = limit * lengths.most_area
    # what a few of their rows say to be large is not looked at again: most of the picture
    few = slice(_SOME_ROW, None, _SOME_ROW)
    open_yet = np.bincount(labels[few].ravel(), mass[few].ravel(), count + 1) < most
    open_yet[0] = False
    there = np.flatnonzero(_numbered(labels, some, open_yet))
    if not len(there):
        return alpha, confidence
    numbers = labels.ravel()[there]
    order = np.argsort(numbers, kind="stable")
    there, numbers = there[order], numbers[order]
    firsts = np.flatnonzero(np.diff(numbers, prepend=0))
    # halves, and what clips make of them, add up exactly: the order makes no difference
    masses = np.add.reduceat(mass.ravel()[there].astype(float), firsts)
    ys, xs = np.divmod(there, width)
    (x0, x1), (y0, y1) = ((np.minimum.reduceat(v, firsts), np.maximum.reduceat(v, firsts) + 1) for v in (xs, ys))
    small = masses < limit * _areas(lengths, rect.x0 + (x0 + x1) / 2, rect.y0 + (y0 + y1) / 2)
    if becomes == 1:
        # what comes to the border of the rectangle is what lies around
        small &= (x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height)
    if not small.any():
        return alpha, confidence
    sizes = np.diff(firsts, append=len(there))
    where = there[np.repeat(small, sizes)]
    lowest = np.minimum.reduceat(confidence.ravel()[there], firsts)[small]
    new_alpha, new_confidence = alpha.copy(), confidence.copy()
    new_alpha.ravel()[where] = becomes
    new_confidence.ravel()[where] = np.repeat(lowest, sizes[small])
    return new_alpha, new_confidence


def _numbered(labels: npt.NDArray[np.int32], some: BoolArray, which: BoolArray) -> BoolArray:
    """Where the parts are whose numbers are True in ``which``, (h, w). some: where any part is."""
    others = np.flatnonzero(~which)
    if len(others) > _FEW:
        return which[labels]
    # mostly one person, or what is around; 0 is no part
    for number in others[1:]:
        some &= labels != number
    return some


def _areas(lengths: Lengths, x: FloatArray, y: FloatArray) -> FloatArray:
    """Square pixels for a square unit at places, (n,)."""
    if isinstance(lengths, Pixels):
        return np.full(x.shape, lengths.scale**2)
    return np.array([area(lengths.ellipse(float(a), float(b))) for a, b in zip(x, y, strict=True)])
