"""Edges that the shutter blurs, because what they are of moves."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.motion import EyeMotion
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.morphology import box, dilate
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread

#: A shutter that is open for half of the frame (180 degrees), as is usual: what moves d pixels from frame to frame is blurred over d / 2.
_SHUTTER = 0.5
#: Pixels over which lens, sampling and compression make an edge fade that does not move.
_STILL_PX = 2.0
#: Pixels of the small picture around a person's pixels where edges are that move with them.
_NEAR_PX = 4


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
