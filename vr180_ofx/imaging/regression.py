"""One picture explained by others, in squares."""

from __future__ import annotations

from collections.abc import Sequence

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.filter import box_blur


@either
def local_linear(
    planes: Sequence[FloatArray], values: FloatArray, size: tuple[int, int], epsilon: float
) -> tuple[Sequence[FloatArray], FloatArray]:  # fmt: skip
    """Around each pixel ``values`` as a linear function of three pictures: slopes for each of these, and a constant.

    The ridge regression of the guided filter with a colour guide (He, Sun, Tang 2013, eq. 16-18). planes, values: (h, w) float32 each, in
    memory of their own. size: (width, height) of the squares, which go on beyond the picture as NumPy's "symmetric" does. epsilon: variance
    of ``planes`` that counts as none, above 0. Returns (h, w) float32 each.
    """

    def mean(x: FloatArray) -> FloatArray:
        return box_blur(x, size, border="symmetric")

    c = planes
    m = [mean(x) for x in c]
    mp = mean(values)
    cov = [mean(x * values) - mx * mp for x, mx in zip(c, m, strict=True)]
    s00 = mean(c[0] * c[0]) - m[0] * m[0] + epsilon
    s11 = mean(c[1] * c[1]) - m[1] * m[1] + epsilon
    s22 = mean(c[2] * c[2]) - m[2] * m[2] + epsilon
    s01 = mean(c[0] * c[1]) - m[0] * m[1]
    s02 = mean(c[0] * c[2]) - m[0] * m[2]
    s12 = mean(c[1] * c[2]) - m[1] * m[2]
    # the inverse of a symmetric 3x3 matrix by its cofactors: a thousand times faster than a solver per pixel
    i00 = s11 * s22 - s12 * s12
    i01 = s02 * s12 - s01 * s22
    i02 = s01 * s12 - s02 * s11
    i11 = s00 * s22 - s02 * s02
    i12 = s01 * s02 - s00 * s12
    i22 = s00 * s11 - s01 * s01
    scale = 1 / (s00 * i00 + s01 * i01 + s02 * i02)
    a0 = (i00 * cov[0] + i01 * cov[1] + i02 * cov[2]) * scale
    a1 = (i01 * cov[0] + i11 * cov[1] + i12 * cov[2]) * scale
    a2 = (i02 * cov[0] + i12 * cov[1] + i22 * cov[2]) * scale
    return (a0, a1, a2), mp - a0 * m[0] - a1 * m[1] - a2 * m[2]
