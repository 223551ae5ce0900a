"""Pictures over pictures in linear light, as a lens mixes them; coverage is what alpha means here, and it is of light."""

from __future__ import annotations

import functools

import numpy as np

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.media.colour import linear_to_srgb, srgb_to_linear


@functools.cache
def _linear_of_codes() -> FloatArray:
    """IEC 61966-2-1's curve for 256 codes."""
    return srgb_to_linear(np.arange(256, dtype=np.float64) / 255).astype(np.float32)


def composed(foreground: Array, background: Array, alpha: Array) -> Array:
    """(..., h, w, 3) uint8 over uint8, alpha (..., h, w) uint8 or uint16. Returns uint8."""
    cover = (alpha.astype(np.float32) / np.float32(np.iinfo(str(alpha.dtype)).max))[..., None]
    table = _linear_of_codes()
    light = cover * table[foreground] + (1 - cover) * table[background]
    return np.rint(encoded(light) * 255).astype(np.uint8)


def encoded(light: FloatArray) -> FloatArray:
    """Linear light 0..1 as sRGB 0..1."""
    return linear_to_srgb(np.clip(light, 0, 1))
