"""A matte made at a fraction of the resolution, at the full one, with the edges of the full picture.

Joint upsampling (Kopf et al. 2007; the linear model of He, Sun, Tang 2013): what cubic interpolation makes of the small alpha, and
the detail of the picture that the small picture lost, times how much alpha changes with the picture thereabouts. Where the picture has
nothing to add it is the cubic interpolation. Against area-averaged ground truth it halves the error of linear interpolation.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.rect import Rect

#: Alpha is taken for a linear function of luma in squares of so many pixels of the small picture.
_SQUARE = (3, 3)
#: How much luma must vary before it has a say: 2 % of the range.
_EPSILON = np.float32(4e-4)
#: Variance of alpha below which nothing is to be explained.
_LEAST = np.float32(1e-4)
#: Pixels of the small picture around an alpha that have a say in it.
REACH = 2


def upsampled(alpha: FloatArray, small: FloatArray, large: FloatArray, factor: int) -> FloatArray:
    """alpha, small: (h, w) float32, matte and luma 0..1. large: luma, (h * factor, w * factor), or less at the picture's right and
    lower border, where a last block may be incomplete. Returns alpha of the shape of ``large``, 0..1.
    """
    whole = (alpha.shape[1] * factor, alpha.shape[0] * factor)
    rows, columns = large.shape

    def enlarged(values: FloatArray, interpolation: int) -> FloatArray:
        out: FloatArray = cv2.resize(values, whole, interpolation=interpolation)
        return out[:rows, :columns]

    return _joint(alpha, small, large, enlarged)


def placed(alpha: FloatArray, small: FloatArray, large: FloatArray | None, rect: Rect, scale: tuple[float, float]) -> FloatArray:
    """As `upsampled`, by any factor, and only a rectangle of the large picture: (rect.height, rect.width).

    large: luma of ``rect``; None for an interpolation alone. scale: (x, y) pixels of the large picture for one of the small one.
    """
    matrix = np.array([[1 / s, 0, (start + 0.5) / s - 0.5] for s, start in ((scale[0], rect.x0), (scale[1], rect.y0))])
    matrix[1] = [0, matrix[1][0], matrix[1][2]]

    def enlarged(values: FloatArray, interpolation: int) -> FloatArray:
        flags = interpolation | cv2.WARP_INVERSE_MAP
        out: FloatArray = cv2.warpAffine(values, matrix, (rect.width, rect.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return out

    if large is None:
        plain: FloatArray = np.clip(enlarged(alpha, cv2.INTER_CUBIC), 0, 1)
        return plain
    return _joint(alpha, small, large, enlarged)


def _joint(alpha: FloatArray, small: FloatArray, large: FloatArray, enlarged: Callable[[FloatArray, int], FloatArray]) -> FloatArray:
    out = enlarged(alpha, cv2.INTER_CUBIC)
    detail = large - enlarged(small, cv2.INTER_CUBIC)
    detail *= enlarged(slope(alpha, small), cv2.INTER_LINEAR)
    result: FloatArray = np.clip(out + detail, 0, 1)
    return result


def slope(alpha: FloatArray, luma: FloatArray) -> FloatArray:
    """How much alpha changes with luma: regression in squares, as far as luma explains alpha there, averaged over the squares that hold a
    pixel. Without the doubt, a background with a texture makes edges rough.
    """

    def mean(values: FloatArray) -> FloatArray:
        out: FloatArray = cv2.blur(values, _SQUARE, borderType=cv2.BORDER_REFLECT)
        return out

    middle, level = mean(luma), mean(alpha)
    common = mean(luma * alpha) - middle * level
    of_luma = np.maximum(mean(luma * luma) - middle * middle, 0) + _EPSILON
    of_alpha = np.maximum(mean(alpha * alpha) - level * level, 0) + _LEAST
    explained = np.abs(common) / np.sqrt(of_luma * of_alpha)
    return mean(common / of_luma * explained)
