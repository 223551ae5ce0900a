"""Pictures over pictures in linear light, as a lens mixes them; coverage is what alpha means here, and it is of light."""

from __future__ import annotations

import functools

import numpy as np

from vr180_ofx.arrays import Array, FloatArray


@functools.cache
def _linear_of_codes() -> FloatArray:
    """IEC 61966-2-1's curve for 256 codes."""
    x = np.arange(256, dtype=np.float64) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def composed(foreground: Array, background: Array, alpha: Array) -> Array:
    """(..., h, w, 3) uint8 over uint8, alpha (..., h, w) uint8 or uint16. Returns uint8."""
    cover = (alpha.astype(np.float32) / np.float32(np.iinfo(str(alpha.dtype)).max))[..., None]
    table = _linear_of_codes()
    light = cover * table[foreground] + (1 - cover) * table[background]
    return np.rint(encoded(light) * 255).astype(np.uint8)


def encoded(light: FloatArray) -> FloatArray:
    """Linear light 0..1 as sRGB 0..1."""
    light = np.clip(light, 0, 1)
    signal: FloatArray = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055)
    return signal
