"""Soft edges made exact by colour: where a pixel's colour lies between the colours on both sides of an edge, that says how much of it is
whose, more exactly than a network whose edges are soft everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.vr180.projection import FloatArray

#: Networks blur what is sharp: contrast around one half, which does not move an edge.
_GAIN = 1.25
#: Above this, and below 1 less it, an alpha is taken for sure.
_SURE = 0.95
#: The reach of what is sure, the standard deviation of a Gaussian, in pixels of a picture of 384.
_REACH = 2.8
#: How much textures on both sides speak against colours.
_DOUBT = 10.0
_LEAST_CONTRAST = 1e-3


def exact(alpha: FloatArray, guide: FloatArray, unit: float) -> FloatArray:
    """alpha: (h, w) 0..1; guide: (h, w, 3) the picture there. unit: pixels for one of a picture of 384. Returns (h, w) 0..1."""
    sharp = np.clip((alpha - 0.5) * _GAIN + 0.5, 0, 1)
    square = np.square(guide).sum(axis=-1)
    stack = np.dstack([guide, square, np.ones_like(square)])
    sigma = _REACH * unit
    sides = []
    for sure in (sharp > _SURE, sharp < 1 - _SURE):
        sums = cv2.GaussianBlur(stack * sure[..., None].astype(np.float32), (0, 0), sigma)
        weight = sums[..., 4]
        means = sums[..., :4] / np.maximum(weight, 1e-4)[..., None]
        colour = means[..., :3]
        sides.append((colour, np.maximum(means[..., 3] - np.square(colour).sum(axis=-1), 0), weight > 0.02))
    (front, texture_f, there_f), (back, texture_b, there_b) = sides
    line = front - back
    contrast = np.square(line).sum(axis=-1)
    place = np.clip(((guide - back) * line).sum(axis=-1) / np.maximum(contrast, 1e-6), 0, 1)
    unsure = cv2.dilate(((sharp >= 0.02) & (sharp <= 0.98)).astype(np.float32), np.ones((3, 3), np.uint8))
    trust = contrast / (contrast + _DOUBT * (texture_f + texture_b) + _LEAST_CONTRAST)
    trust *= (there_f & there_b) * cv2.GaussianBlur(unsure, (0, 0), 0.7)
    out: FloatArray = (sharp + (place - sharp) * trust).astype(np.float32)
    return out
