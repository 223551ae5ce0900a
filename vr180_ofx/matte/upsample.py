"""A matte made at a fraction of the resolution, at the full one, with the edges of the full picture.

Joint upsampling (Kopf et al. 2007; the linear model of He, Sun, Tang 2013): what cubic interpolation makes of the small alpha, and
the detail of the picture that the small picture lost, times how much alpha changes with the picture thereabouts. Where the picture
has nothing to add it is the cubic interpolation. Against area-averaged ground truth it halves the error of linear interpolation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import namespace
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.warp import warp_affine
from vr180_ofx.matte.detail import slope
from vr180_ofx.matte.parameters import MATTE, DetailParameters

#: Pixels of the small picture around an alpha that decide it: what cubic interpolation takes in.
REACH = 2

_Interpolation = Literal["linear", "cubic"]
_Enlarge = Callable[[FloatArray, _Interpolation], FloatArray]


def upsampled(
    alpha: FloatArray, small: FloatArray, large: FloatArray, factor: int, parameters: DetailParameters = MATTE.detail
) -> FloatArray:  # fmt: skip
    """An alpha ``factor`` times as large, of the shape of ``large``, 0..1.

    alpha, small: (h, w) float32, matte and luma 0..1. large: luma, (h * factor, w * factor), or less at the picture's right and
    lower border, where a last block may be incomplete.
    """
    whole = (alpha.shape[1] * factor, alpha.shape[0] * factor)
    rows, columns = large.shape

    def enlarged(values: FloatArray, interpolation: _Interpolation) -> FloatArray:
        return resize(values, whole, interpolation)[:rows, :columns]

    return _joint(alpha, small, large, enlarged, parameters)


def upsampled_part(
    alpha: FloatArray, small: FloatArray, large: FloatArray | None, *, rect: Rect, scale: tuple[float, float],
    parameters: DetailParameters = MATTE.detail,
) -> FloatArray:  # fmt: skip
    """As `upsampled`, by any factor, and only a rectangle of the large picture: (rect.height, rect.width).

    large: luma of ``rect``; None for an interpolation alone. scale: (x, y) pixels of the large picture for one of the small one.
    """
    matrix = np.array([[1 / s, 0, (start + 0.5) / s - 0.5] for s, start in ((scale[0], rect.x0), (scale[1], rect.y0))])
    matrix[1] = [0, matrix[1][0], matrix[1][2]]

    def enlarged(values: FloatArray, interpolation: _Interpolation) -> FloatArray:
        return warp_affine(values, matrix, (rect.width, rect.height), interpolation=interpolation, border="edge")

    if large is None:
        interpolated: FloatArray = namespace(alpha).clip(enlarged(alpha, "cubic"), 0, 1)
        return interpolated
    return _joint(alpha, small, large, enlarged, parameters)


def _joint(alpha: FloatArray, small: FloatArray, large: FloatArray, enlarged: _Enlarge, parameters: DetailParameters) -> FloatArray:
    out = enlarged(alpha, "cubic")
    detail = large - enlarged(small, "cubic")
    detail *= enlarged(slope(alpha, small, parameters), "linear")
    result: FloatArray = namespace(alpha).clip(out + detail, 0, 1)
    return result
