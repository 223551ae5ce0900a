"""The scale of a picture, for lengths that were tuned on one of 384 x 384."""

from __future__ import annotations

import math

from vr180_ofx.arrays import FloatArray

#: The side of the picture that lengths in `parameters` are pixels of: what a matting network sees by default.
REFERENCE_SIDE = 384


def reference_scale(picture: FloatArray) -> float:
    """How many pixels of a picture, (..., h, w), are one of the reference's, by area: 1.0 for 384 x 384, 2.0 for 768 x 768."""
    return math.sqrt(math.prod(picture.shape[-2:])) / REFERENCE_SIDE
