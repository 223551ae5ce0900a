"""Both eyes' mattes of one person made to agree: each pixel hears what the other eye says of the same point.

The disparity is measured once, at a resolution that suffices for it, and each eye keeps its own pixels: only the other eye's matte is
looked up, where it sees the point. Both weigh in with their confidence, so the edge is the same edge in both, as soft in one as in the
other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.matte.same_edge import same_edge
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.disparity import Disparity, looked_up, measure
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import angles, directions
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

#: Less of the person measured than this, and the surface is not to be believed.
LEAST_SURE = 0.25
#: Pixels by which places may be off that are interpolated: a tenth of what is measured at best.
_TOLERANCE = 0.05
#: Edges of one matte in both eyes may differ by so many times what those of a network and a mask may in one.
_LENIENT = 2.0
#: A rectangle of one eye is looked at in so many places, squared, to say where it lies in the other.
_EXTENT_SAMPLES = 33
#: Even without confidence an eye has a say.
_SAY = 0.05


@dataclass(frozen=True, slots=True)
class JoinedPair:
    """One person in both eyes.

    overlap: of the left matte carried to the right with the right one, before they were joined; 0..1. used: whether they were joined.
    """

    left: Patch
    right: Patch
    overlap: float
    used: bool


def join(
    left: EyeImage, right: EyeImage, in_left: Patch, in_right: Patch, projection: Projection, alignment: Alignment = LEVEL,
    edges_only: bool = False,
) -> JoinedPair:  # fmt: skip
    """Mattes that agree. Those who are in one eye alone, or cannot be measured, stay as they are.

    projection: of the eyes' pictures, whose size is the mattes', too. alignment: how the cameras are turned against each other. edges_only:
    where the eyes differ in more than an edge, each keeps its own: for mattes that err less in one eye than two of them do together.
    """
    found = measure(left, right, in_left, in_right, projection, alignment)
    if found is None or found.sureness < LEAST_SURE:
        return JoinedPair(in_left, in_right, 0.0, False)
    new_right, overlap = _heard(in_right, in_left, found, projection, alignment, True, edges_only)
    new_left, _ = _heard(in_left, in_right, found, projection, alignment, False, edges_only)
    return JoinedPair(new_left, new_right, overlap, True)


def _heard(
    own: Patch, other: Patch, found: Disparity, projection: Projection, alignment: Alignment, to_left: bool, edges_only: bool
) -> tuple[Patch, float]:  # fmt: skip
    """One eye's matte with what the other says of its pixels, and how far both agreed."""
    rect = own.rect.grown(4).clipped(projection.width, projection.height)
    places = counterpart(rect, found, projection, to_left, alignment)
    mine, my_say = spread(own, rect, around=1.0)
    theirs, their_say = (looked_up(v, places, other.rect) for v in (other.alpha, other.confidence))
    weights = my_say + _SAY, their_say + _SAY
    joined = (mine * weights[0] + theirs * weights[1]) / (weights[0] + weights[1])
    if edges_only:
        joined = mine + (joined - mine) * same_edge(mine, theirs, _LENIENT * reference_scale(mine))
    union = np.maximum(mine, theirs).sum()
    overlap = float(np.minimum(mine, theirs).sum() / union) if union > 0 else 0.0
    return replace(own, rect=rect, alpha=joined.astype(np.float32), confidence=my_say), overlap


def counterpart(rect: Rect, found: Disparity, projection: Projection, to_left: bool, alignment: Alignment = LEVEL) -> FloatArray:
    """(h, w, 2) where the other eye sees the pixels of ``rect``, in its picture's continuous pixels; NaN outside of it."""
    return smooth_map(_across(found, projection, to_left, alignment), rect, _TOLERANCE)


def extent(rect: Rect, found: Disparity, projection: Projection, to_left: bool, alignment: Alignment = LEVEL) -> Rect:
    """The part of the other eye's picture where it sees ``rect``."""
    ticks = np.linspace(0, 1, _EXTENT_SAMPLES)
    grid = np.stack(np.meshgrid(rect.x0 + rect.width * ticks, rect.y0 + rect.height * ticks), axis=-1)
    return Rect.around(_across(found, projection, to_left, alignment)(grid), 2).clipped(projection.width, projection.height)


def _across(found: Disparity, projection: Projection, to_left: bool, alignment: Alignment) -> Callable[[FloatArray], FloatArray]:
    """From one eye's points, (..., 2) continuous pixels, to where the other one sees them."""
    window, target = (found.right, found.left) if to_left else (found.left, found.right)
    shift = found.shift.astype(np.float32)
    typical = np.float32(np.median(shift))
    here, there_ = (alignment.projection(projection, view) for view in ((RIGHT, LEFT) if to_left else (LEFT, RIGHT)))

    def other(points: FloatArray) -> FloatArray:
        rays = here.unproject(points)
        p = np.nan_to_num(window.points(rays) - 0.5, nan=-1).astype(np.float32)
        columns, rows = np.ascontiguousarray(p[..., 0]), np.ascontiguousarray(p[..., 1])
        if to_left:
            there = columns + _look(shift, columns, rows)
        else:
            # the shift is known for the right eye's pixels: found by going there and back, which the smooth surface lets settle at once
            there = columns - typical
            for _ in range(6):
                there = columns - _look(shift, there, rows)
        lateral = target.lateral + (there + 0.5 - target.width / 2) * target.scale
        return there_.project(directions(lateral, angles(rays)[..., 1]))

    return other


def _look(values: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    out: FloatArray = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out
