"""The guided filter with a colour guide (He, Sun, Tang 2013, eq. 16-19)."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.filter import box_blur
from vr180_ofx.imaging.planes import interleaved
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.parameters import GUIDED, GuidedParameters


def guided_filter(guide: FloatArray, mask: FloatArray, parameters: GuidedParameters = GUIDED) -> Refined:
    """A mask whose edges follow the picture.

    guide: (h, w, 3) float32, see `media.contract.Sample`. mask: (h, w) 0..1. Returns coefficients (h, w, 4) of the same picture.
    """
    size = (2 * parameters.radius_px + 1, 2 * parameters.radius_px + 1)
    weights = parameters.channel_weights

    def mean(x: FloatArray) -> FloatArray:
        return box_blur(x, size, border="symmetric")

    c = [np.ascontiguousarray(guide[..., k]) * np.float32(w) for k, w in enumerate(weights)]
    mask = mask.astype(np.float32, copy=False)
    m = [mean(x) for x in c]
    mp = mean(mask)
    cov = [mean(x * mask) - mx * mp for x, mx in zip(c, m, strict=True)]
    eps = np.float32(parameters.epsilon)
    s00 = mean(c[0] * c[0]) - m[0] * m[0] + eps
    s11 = mean(c[1] * c[1]) - m[1] * m[1] + eps
    s22 = mean(c[2] * c[2]) - m[2] * m[2] + eps
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
    b = mp - a0 * m[0] - a1 * m[1] - a2 * m[2]
    coefficients = interleaved([mean(x) for x in (a0 * weights[0], a1 * weights[1], a2 * weights[2], b)])
    return Refined(coefficients, parameters.gain)
