"""The largest and the least of what is around each pixel. Beyond the picture there is nothing, which neither adds nor takes away."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from vr180_ofx.arrays import ByteArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import Values, cooked, raw


@cache
def disc(radius: int) -> ByteArray:
    """Which pixels count: (2 radius + 1, 2 radius + 1), 1 in a disc and 0 around it. Not to be changed.

    The row that lies y from the middle reaches sqrt(radius^2 - y^2) pixels to each side, rounded.
    """
    return _fixed(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))


@cache
def box(width: int, height: int) -> ByteArray:
    """Which pixels count: (height, width), all of them. Both sides are odd. Not to be changed."""
    return _fixed(np.ones((height, width), np.uint8))


def _fixed(kernel: ByteArray) -> ByteArray:
    kernel.setflags(write=False)
    return kernel


def square(radius: int) -> ByteArray:
    """`box` of 2 radius + 1 pixels on a side."""
    return box(2 * radius + 1, 2 * radius + 1)


@either
def dilate(values: Values, kernel: ByteArray) -> Values:
    """The largest value under the kernel. values: (h, w[, c]) bool, uint8 or float32. kernel: see `disc`, `box`, `square`."""
    out: Values = cooked(cv2.dilate(raw(values), kernel), values)
    return out


@either
def erode(values: Values, kernel: ByteArray) -> Values:
    """The least value under the kernel. As `dilate`."""
    out: Values = cooked(cv2.erode(raw(values), kernel), values)
    return out


@either
def opened(values: Values, kernel: ByteArray) -> Values:
    """Without what is smaller than the kernel: eroded, then dilated."""
    out: Values = cooked(cv2.morphologyEx(raw(values), cv2.MORPH_OPEN, kernel), values)
    return out
