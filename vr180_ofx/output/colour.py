"""Foreground colour: what the person looks like without the background that shines through their edge."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.vr180.projection import FloatArray


def unmixed(rgb: FloatArray, alpha: FloatArray, radius: int = 0) -> FloatArray:
    """Blur-fusion foreground estimation (Forte and Pitié 2021, "Approximate Fast Foreground Colour Estimation").

    rgb: (h, w, 3) any encoding; alpha: (h, w) 0..1. Returns (h, w, 3), equal to ``rgb`` where alpha is 1.
    radius: of the first blur in pixels, by default about a sixth of the picture, at most 90 as in the paper.
    """
    if rgb.size == 0:
        return rgb
    radius = radius or min(90, max(24, min(rgb.shape[:2]) // 6))
    a = alpha[..., None].astype(np.float32)
    foreground = background = rgb.astype(np.float32)
    for r in (radius, max(3, radius // 15)):
        size = (2 * r + 1, 2 * r + 1)
        weight = cv2.blur(alpha.astype(np.float32), size)[..., None]
        f = cv2.blur(foreground * a, size) / (weight + 1e-5)
        b = cv2.blur(background * (1 - a), size) / (1 - weight + 1e-5)
        foreground = f + a * (rgb - a * f - (1 - a) * b)
        background = b
        foreground = np.clip(foreground, 0, None)
    out: FloatArray = np.where(a >= 0.999, rgb, foreground).astype(np.float32)
    return out
