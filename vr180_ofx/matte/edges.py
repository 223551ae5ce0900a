"""Soft edges made exact by colour: where a pixel's colour lies between the colours on both sides of an edge, that says how much of it is
whose, more exactly than a network whose edges are soft everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.matte.guided import GuidedRefiner

#: Networks blur what is sharp: contrast around one half, which does not move an edge.
_GAIN = 1.25
#: Above this, and below 1 less it, an alpha is taken for sure.
_SURE = 0.95
#: The reach of what is sure, the standard deviation of a Gaussian, in pixels of a picture of 384.
_REACH = 2.8
#: How much textures on both sides speak against colours.
_DOUBT = 10.0
_LEAST_CONTRAST = 1e-3
#: Two sides that are darker than this, together, do not differ in light.
_DARK = 0.05
#: How much of an alpha follows colour within a few pixels: so much from such trust on, and such a part of it with none, which softens edges
#: that cannot be seen, and steadies them.
_ALONG, _SHARE, _ENOUGH, _ANYWAY = GuidedRefiner(radius=3, epsilon=5e-6, gain=1.1), 0.75, 0.25, 0.5


def exact(alpha: FloatArray, guide: FloatArray, unit: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """alpha: (h, w) 0..1; guide: (h, w, 3) the picture there. unit: pixels for one of a picture of 384. Returns (h, w) 0..1, how far
    colours tell both sides of an edge apart there, 0..1, and how much brighter the front is: see `in_light`.
    """
    sharp: FloatArray = np.clip((alpha - np.float32(0.5)) * np.float32(_GAIN) + np.float32(0.5), 0, 1)
    near = unsure(sharp, 0.02, 1)
    if not near.any():
        return sharp, np.zeros_like(sharp), np.zeros_like(sharp)
    front, texture_f, there_f = _side(guide, _within(sharp, _SURE, 2), unit)
    back, texture_b, there_b = _side(guide, _within(sharp, -1, 1 - _SURE), unit)
    line = [f - b for f, b in zip(front, back, strict=True)]
    contrast = sum(v * v for v in line)
    # where along the line from one colour to the other: a slope for each channel of the picture, and a constant
    slopes = [v / np.maximum(contrast, 1e-6) for v in line]
    constant = -sum(s * b for s, b in zip(slopes, back, strict=True))
    both = there_f & there_b
    told = (contrast / (contrast + _DOUBT * (texture_f + texture_b) + _LEAST_CONTRAST) * both).astype(np.float32)
    brighter = (line[0] / np.maximum(front[0] + back[0], _DARK) * both).astype(np.float32)
    size = (alpha.shape[1], alpha.shape[0])
    fine = cv2.resize(cv2.merge([*slopes, constant]), size, interpolation=cv2.INTER_LINEAR)
    place = fine[..., 3].copy()
    for k in range(3):
        place += fine[..., k] * guide[..., k]
    np.clip(place, 0, 1, out=place)
    trust = cv2.resize(told, size, interpolation=cv2.INTER_LINEAR)
    place -= sharp
    place *= trust * near
    sharp += place
    return sharp, trust, cv2.resize(brighter, size, interpolation=cv2.INTER_LINEAR)


def in_light(alpha: FloatArray, brighter: FloatArray) -> FloatArray:
    """An alpha that is right for the numbers in a file, (h, w) 0..1, as one that is right for light, which is what lenses mix.

    Half of a bright thing and half of a dark one look nearly as bright as the bright one: dark things seem too thin, bright ones too thick.
    Let light be the square of a number. Then b + alpha (f - b), of f in front and b behind, is the root of b^2 + light (f^2 - b^2) with
    light = alpha - alpha (1 - alpha) brighter. brighter: (h, w) (f - b) / (f + b).
    """
    out: FloatArray = alpha - brighter * alpha * (1 - alpha)
    return out


def along(alpha: FloatArray, guide: FloatArray, trust: FloatArray) -> FloatArray:
    """Edges that run beside the picture's drawn to them: as far as colours are to be trusted, alpha as a linear function of colour within a
    few pixels. trust: as `exact` returns it; the rest as there.
    """
    share = np.clip(trust / np.float32(_ENOUGH), _ANYWAY, 1) * np.float32(_SHARE)
    out: FloatArray = alpha + share * (_ALONG.refine(guide, alpha).value(guide) - alpha)
    return out


def unsure(alpha: FloatArray, least: float, beside: int = 0) -> FloatArray:
    """(h, w): 1 where an alpha, (h, w) 0..1, is neither below ``least`` nor above 1 less it, and so many pixels around; 0 elsewhere."""
    mask = _within(alpha, least, 1 - least)
    if beside:
        mask = np.asarray(cv2.dilate(mask, np.ones((2 * beside + 1, 2 * beside + 1), np.uint8)), np.uint8)
    out: FloatArray = cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32) / np.float32(255)
    return out


def _within(values: FloatArray, low: float, high: float) -> npt.NDArray[np.uint8]:
    """255 where they are."""
    return np.asarray(cv2.inRange(values, low, high), np.uint8)


def _side(guide: FloatArray, sure: npt.NDArray[np.uint8], unit: float) -> tuple[list[FloatArray], FloatArray, npt.NDArray[np.bool_]]:
    """(mean of each channel, variance of all, whether there is any) of what lies on one side, at half the resolution: it is smooth."""
    half = (max(1, guide.shape[1] // 2), max(1, guide.shape[0] // 2))
    weight = sure.astype(np.float32) * np.float32(1 / 255)
    channels = [guide[..., k] * weight for k in range(3)]
    squares = sum(c * guide[..., k] for k, c in enumerate(channels))
    sigma = _REACH * unit / 2
    sums = cv2.GaussianBlur(cv2.resize(cv2.merge([*channels, squares]), half, interpolation=cv2.INTER_AREA), (0, 0), sigma)
    total = cv2.GaussianBlur(cv2.resize(weight, half, interpolation=cv2.INTER_AREA), (0, 0), sigma)
    share = 1 / np.maximum(total, np.float32(1e-4))
    means = [sums[..., k] * share for k in range(3)]
    texture = np.maximum(sums[..., 3] * share - sum(m * m for m in means), 0)
    return means, texture, total > 0.02
