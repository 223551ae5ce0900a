"""Filters: each pixel from those around it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import MIRROR, Mirror, Values


@either
def box_blur(values: Values, size: tuple[int, int], *, border: Mirror = "reflect") -> Values:
    """The mean of a rectangle around each pixel.

    values: (h, w) or (h, w, c), of any number type. size: (width, height) of the rectangle, pixels; of an even one the pixel is the one
    right of the middle, below it.
    """
    out: Values = cv2.blur(values, size, borderType=MIRROR[border])
    return out


@either
def box_blurs(pictures: Sequence[FloatArray], size: tuple[int, int], *, border: Mirror = "reflect") -> Sequence[FloatArray]:
    """`box_blur` of several pictures of one shape, at once where that is quicker. pictures: (h, w) float32 each."""
    return [cv2.blur(picture, size, borderType=MIRROR[border]) for picture in pictures]


@either
def gaussian_blur(values: Values, sigma: float) -> Values:
    """The mean of what is around each pixel, weighted by a Gaussian; borders as NumPy's "reflect".

    values: (h, w) or (h, w, c), uint8 or float32. sigma: standard deviation, pixels. The kernel reaches 4 of them to each side, of uint8
    3 of them.
    """
    out: Values = cv2.GaussianBlur(values, (0, 0), sigma)
    return out


@either
def slopes(values: FloatArray, *, scale: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """How values grow to the right and downwards, (h, w) float32 each, times ``scale``; borders as NumPy's "reflect".

    Sobel's 3x3 kernels: their weights add up to 8 for a step of one pixel. values: (h, w) uint8 or float32.
    """
    return cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=scale), cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=scale)


@either
def separable(values: FloatArray, across: FloatArray, down: FloatArray, *, border: Mirror = "edge") -> FloatArray:
    """Correlation with the outer product of two kernels. values: (h, w) float32.

    across, down: (n,) of odd lengths, along rows and along columns; not mirrored.
    """
    out: FloatArray = cv2.sepFilter2D(values, cv2.CV_32F, np.asarray(across), np.asarray(down), borderType=MIRROR[border])
    return out
