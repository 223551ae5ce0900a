"""Foreground colour: what the person looks like without the background that shines through their edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import SettingsError
from vr180_ofx.imaging.filter import box_blur
from vr180_ofx.settings import OutputSettings


class Foreground:
    """What outputs show of people, as the settings ask. Raises SettingsError when that needs what is not installed."""

    def __init__(self, settings: OutputSettings) -> None:
        self._despill, self._amount = settings.despill, settings.despill_amount
        self._estimate = _multilevel() if settings.foreground_method == "multilevel" else unmixed

    def __call__(self, rgb: FloatArray, alpha: FloatArray) -> FloatArray:
        """rgb: (h, w, 3) any encoding; alpha: (h, w) 0..1. Returns (h, w, 3), not premultiplied."""
        out = self._estimate(rgb, alpha)
        return out if self._despill == "none" else despilled(out, self._despill, self._amount)


def despilled(rgb: FloatArray, screen: str, amount: float = 1.0) -> FloatArray:
    """Colours without the light that a screen throws on people: no more of its colour than the mean of the other two.

    rgb: (h, w, 3) any encoding. screen: green or blue. amount: 0..1.
    """
    k = {"green": 1, "blue": 2}[screen]
    out = np.array(rgb, np.float32)
    others = [out[..., i] for i in range(3) if i != k]
    out[..., k] -= np.float32(amount) * np.maximum(out[..., k] - (others[0] + others[1]) / 2, 0)
    return out


def _multilevel() -> Callable[[FloatArray, FloatArray], FloatArray]:
    """Germer et al. 2020, "Fast Multi-Level Foreground Estimation", by PyMatting."""
    try:
        from pymatting import estimate_foreground_ml
    except ImportError:
        raise SettingsError(
            "output.foreground_method is 'multilevel', which needs PyMatting; install it with: pip install 'vr180-ofx[closed_form]'"
        ) from None

    def estimate(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
        if rgb.size == 0:
            return rgb
        # it holds colours to 0..1, and light has no such limit
        peak = max(1.0, float(rgb.max()))
        found = estimate_foreground_ml(rgb.astype(np.float64) / peak, alpha.astype(np.float64)) * peak
        out: FloatArray = np.where(alpha[..., None] >= BLUR_FUSION.sure, rgb, found).astype(np.float32)
        return out

    return estimate


@dataclass(frozen=True, slots=True)
class BlurFusionParameters:
    """Forte and Pitié 2021, "Approximate Fast Foreground Colour Estimation": two blurs, a wide one and a narrow one.

    widest: radius of the first one, pixels; the paper's. part: of a small picture its smaller side divided by this instead, but at least
    narrowest pixels. refining: the second radius is the first one divided by this (the paper's 90 and 6), but at least ``least`` pixels.
    sure: from this alpha on colours are left as they are. tiny: against division by zero, the paper's.
    """

    widest: int = 90
    part: int = 6
    narrowest: int = 24
    refining: int = 15
    least: int = 3
    sure: float = 0.999
    tiny: float = 1e-5

    def radii(self, height: int, width: int) -> tuple[int, int]:
        """Of both blurs, for a picture of this size."""
        first = min(self.widest, max(self.narrowest, min(height, width) // self.part))
        return first, max(self.least, first // self.refining)


BLUR_FUSION = BlurFusionParameters()


def unmixed(rgb: FloatArray, alpha: FloatArray, parameters: BlurFusionParameters = BLUR_FUSION) -> FloatArray:
    """Blur-fusion foreground estimation, see `BlurFusionParameters`.

    rgb: (h, w, 3) any encoding; alpha: (h, w) 0..1. Returns (h, w, 3), equal to ``rgb`` where alpha is 1.
    """
    if rgb.size == 0:
        return rgb
    tiny = parameters.tiny
    a = alpha[..., None].astype(np.float32)
    foreground = background = rgb.astype(np.float32)
    for r in parameters.radii(*alpha.shape):
        size = (2 * r + 1, 2 * r + 1)
        weight = box_blur(alpha.astype(np.float32), size)[..., None]
        f = box_blur(foreground * a, size) / (weight + tiny)
        b = box_blur(background * (1 - a), size) / (1 - weight + tiny)
        foreground = f + a * (rgb - a * f - (1 - a) * b)
        background = b
        foreground = np.clip(foreground, 0, None)
    out: FloatArray = np.where(a >= parameters.sure, rgb, foreground).astype(np.float32)
    return out
