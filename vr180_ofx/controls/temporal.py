"""Mattes and the frames beside them: averaged along the motion of the picture, and where that motion blurs edges."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.motion import EyeMotion
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.morphology import box, dilate
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.parameters import TEMPORAL
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.matte.uncertainty import uncertainty

#: A shutter that is open for half of the frame (180 degrees), as is usual: what moves d pixels from frame to frame is blurred over d / 2.
_SHUTTER = 0.5
#: Pixels over which lens, sampling and compression make an edge fade that does not move.
_STILL_PX = 2.0
#: Pixels of the small picture around a person's pixels where edges are that move with them.
_NEAR_PX = 4


def smoothed(person: int, patch: Patch, strength: float, motion: EyeMotion) -> Patch:
    """A matte averaged with those of the frames beside it, along the motion. strength: 0..1, how much each counts beside this frame's 1.

    Where the picture does not look the same there, they do not count, nor where this frame is certain, which would make haze about people;
    unless all of them have the opposite. Trust is averaged alike, and never more than it was.
    """
    rect = patch.rect.intersection(motion.rect)
    others = [k for k in motion.fields if person in motion.mattes[k]]
    if not strength or not others or rect != patch.rect or rect.empty:
        return patch
    warped = [_warped(motion, k, motion.mattes[k][person], rect) for k in others]
    counts = uncertainty(patch.alpha, TEMPORAL.uncertain, 1)
    if len(warped) > 1:
        low, high = TEMPORAL.opposed_from, TEMPORAL.opposed_to
        opposite = [np.clip((np.abs(a - patch.alpha) - low) / np.float32(high - low), 0, 1) * trust for a, _, trust in warped]
        counts = np.maximum(counts, np.minimum.reduce(opposite))
    total, sure, weight = patch.alpha.copy(), patch.confidence.copy(), np.ones_like(patch.alpha)
    for alpha, confidence, trust in warped:
        share = trust * counts * np.float32(strength)
        total += share * alpha
        sure += share * confidence
        weight += share
    return Patch(rect, np.clip(total / weight, 0, 1), np.minimum(patch.confidence, sure / weight))


def _warped(motion: EyeMotion, n: int, patch: Patch, rect: Rect) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(alpha, confidence, trust) of another frame's matte at the places of ``rect``."""
    moved, trust = motion.within(n, rect)
    height, width = trust.shape
    places = moved + np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=-1)
    places += np.array([rect.x0 - patch.rect.x0, rect.y0 - patch.rect.y0], np.float32)
    # cubic: linear interpolation would soften edges
    alpha = sample(patch.alpha, places, interpolation="cubic", centre=0)
    confidence = sample(patch.confidence, places, border=1.0, centre=0)
    return np.clip(alpha, 0, 1), confidence, trust


def blurred_by_motion(patch: Patch, rect: Rect, motion: EyeMotion, scale: float) -> FloatArray:
    """How much of an edge's softness is the shutter's, (h, w) 0..1 for ``rect``.

    A ramp of s pixels that is moved over m pixels while the shutter is open is sqrt(s^2 + m^2) wide, as widths of independent blurs add;
    the motion's part is m^2 / (s^2 + m^2). The motion is the person's own: that of their pixels, also beside them. scale: how many of the
    matte's pixels are one at full resolution.
    """
    inside = rect.intersection(motion.rect)
    out = np.zeros((rect.height, rect.width), np.float32)
    if not motion.fields or inside.empty:
        return out
    alpha, _ = spread(patch, inside)
    speeds = []
    for k in motion.fields:
        moved, trust = motion.within(k, inside)
        speeds.append(np.hypot(moved[..., 0], moved[..., 1]) * (trust > 0.5))
    speed = np.mean(speeds, axis=0) * (alpha > 0.5) / np.float32(scale)
    reach = round(_NEAR_PX * max(motion.step))
    speed = dilate(np.ascontiguousarray(speed, np.float32), box(2 * reach + 1, 2 * reach + 1))
    length = np.square(gaussian_blur(speed, reach / 2) * np.float32(_SHUTTER))
    out[inside.shifted(-rect.x0, -rect.y0).slices] = length / (length + np.float32(_STILL_PX**2))
    return out
