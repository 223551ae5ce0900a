"""Channels and pixels of pictures, put together and taken apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vr180_ofx.arrays import ByteArray, FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import Values


@either
def interleaved(planes: Sequence[Values]) -> Values:
    """Pictures of one channel, (h, w) each and of one type, as one of several, (h, w, n)."""
    out: Values = cv2.merge(planes)
    return out


@either
def planes_of(values: Values) -> Sequence[Values]:
    """The channels of a picture, (h, w, n), as arrays of their own, (h, w) each."""
    out: Sequence[Values] = cv2.split(values)
    return out


@either
def padded(values: Values, *, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0) -> Values:
    """A larger picture: so many pixels more at each side, like the outermost ones. values: (h, w) or (h, w, c)."""
    out: Values = cv2.copyMakeBorder(values, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return out


@either
def colour_transform(values: FloatArray, matrix: FloatArray) -> FloatArray:
    """Each pixel's channels times a matrix. values: (h, w, n) float32; matrix: (m, n). Returns (h, w, m)."""
    out: FloatArray = cv2.transform(values, matrix)
    return out


@either
def rescaled(values: FloatArray, gains: tuple[float, ...], offsets: tuple[float, ...]) -> FloatArray:
    """Each channel times its gain, plus its offset. values: (h, w, n) float32."""
    out: FloatArray = values * np.array(gains, np.float32) + np.array(offsets, np.float32)
    return out


def luma_of_rgb(rgb: FloatArray) -> FloatArray:
    """Luma of ITU-R BT.709. rgb: (..., 3) float32, NumPy's. Returns (...)."""
    out: FloatArray = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return out


@either
def grey(rgb: Values) -> Values:
    """Luma of ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue. rgb: (h, w, 3) uint8 or float32. Returns (h, w)."""
    out: Values = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return out


@either
def within(values: FloatArray, low: float, high: float) -> ByteArray:
    """255 where low <= value <= high, else 0. values: (h, w)."""
    out: ByteArray = cv2.inRange(values, low, high)
    return out


@either
def absolute_difference(a: Values, b: Values) -> Values:
    """|a - b|, without the overflow that integers have. a, b: of one shape and type."""
    out: Values = cv2.absdiff(a, b)
    return out
