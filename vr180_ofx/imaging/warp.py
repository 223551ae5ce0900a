"""Pictures moved by matrices. Coordinates are pixel indices: the centre of pixel i lies at i."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import INTERPOLATION, Border, Interpolation, Values, border_of


@either
def warp_affine(
    values: Values, matrix: FloatArray, size: tuple[int, int], *, interpolation: Interpolation = "linear", border: Border = 0.0
) -> Values:
    """values: (h, w) or (h, w, c). matrix: (2, 3), from pixel indices of the result to pixel indices of ``values``.

    Returns a picture of ``size``, (width, height).
    """
    flags = INTERPOLATION[interpolation] | cv2.WARP_INVERSE_MAP
    out: Values = cv2.warpAffine(values, matrix, size, flags=flags, **border_of(border))
    return out


def inverse_affine(matrix: FloatArray) -> FloatArray:
    """The (2, 3) matrix of the way back. Raises ValueError when there is none."""
    (a, b, c), (d, e, f) = (tuple(float(v) for v in row) for row in matrix)
    determinant = a * e - b * d
    if determinant == 0:
        raise ValueError(f"the affine matrix {matrix.tolist()} has no inverse: its determinant is 0")
    scale = 1 / determinant
    p, q, r, s = e * scale, -b * scale, -d * scale, a * scale
    return np.array([[p, q, -p * c - q * f], [r, s, -r * c - s * f]])
