"""How the cameras are turned against each other, from what both see: points matched across whole pictures, people and background alike.

For a small turn the elevation of a point changes by

    -w_x + tan(lateral) (w_z cos(elevation) + w_y sin(elevation))

whatever its depth (see `vr180.epipolar` for the angles), so that pitch, roll and convergence all follow from the elevations alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vr180_ofx.arrays import ByteArray, FloatArray
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.matching import corners, track_points
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.parameters import RESIDUAL, ResidualParameters
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import EpipolarWindow
from vr180_ofx.vr180.projection import Projection


def observe(left: EyeImage, right: EyeImage, projection: Projection, parameters: ResidualParameters = RESIDUAL) -> FloatArray:
    """Points that both eyes see: (n, 3) float64, lateral angle, elevation, and by how much the left eye sees it higher; radians.

    projection: of both pictures.
    """
    side = parameters.side
    limit = min(parameters.half, _half_of(projection))
    window = EpipolarWindow(0.0, 0.0, 2 * limit / side, side, side)
    grid = window.grid(projection).astype(np.float32)
    pictures = [_bytes(host(eye.sample(grid).guide[..., 0])) for eye in (right, left)]
    points = corners(pictures[0], parameters.points, quality=parameters.quality, apart=parameters.apart_px)
    if not len(points):
        return np.zeros((0, 3))
    window_px, levels = parameters.window_px, parameters.levels
    there, found = track_points(pictures[0], pictures[1], points, window=window_px, levels=levels)
    back, again = track_points(pictures[1], pictures[0], there, window=window_px, levels=levels)
    begin, end, returned = (p.astype(np.float64) + 0.5 for p in (points, there, back))
    good = found & again & (np.abs(begin - returned).max(axis=1) < parameters.there_and_back_px)
    begin, end = begin[good], end[good]
    lateral, elevation = ((begin - side / 2) * window.scale * (1, -1)).T
    rise = (begin[:, 1] - end[:, 1]) * window.scale
    near = np.abs(rise) < parameters.farthest
    out: FloatArray = np.stack([lateral, elevation, rise], axis=-1)[near]
    return out


def fit(observations: Sequence[FloatArray], parameters: ResidualParameters = RESIDUAL) -> Alignment:
    """What explains the points of several frames best; level where they are too few, or it is next to nothing. Hundredths of a degree.

    observations: of each frame, (n, 3), see `observe`.
    """
    counts = [len(o) for o in observations]
    if not counts or max(counts) < parameters.least_points:
        return LEVEL
    lateral, elevation, rise = np.concatenate([o for o in observations if len(o)]).T
    # times the cosine of the lateral angle: then errors are as large everywhere
    across, aside = np.cos(lateral), np.sin(lateral)
    terms = np.stack([across, aside * np.sin(elevation), -aside * np.cos(elevation)], axis=-1)
    values = rise * across
    weight = np.ones(len(values))
    found = np.zeros(3)
    spread = 0.0
    for _ in range(parameters.rounds):
        found = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        off = np.abs(values - terms @ found)
        spread = 1.4826 * float(np.median(off))
        weight = 1 / np.sqrt(1 + (off / max(parameters.cauchy * spread, 1e-6)) ** 2)
    # a camera that stands still shows the same points again and again: they are evidence once
    frames = len(values) / max(counts)
    errors = np.sqrt(np.diag(np.linalg.pinv(terms.T @ (terms * weight[:, None] ** 2))) * frames) * spread
    degrees = np.degrees(found)
    worth = np.abs(degrees) > np.maximum(parameters.least_degrees, parameters.evidence * np.degrees(errors))
    pitch, yaw, roll = (math.radians(round(float(d), 2)) if w else 0.0 for d, w in zip(degrees, worth, strict=True))
    return Alignment(pitch, yaw, roll)


def _half_of(projection: Projection) -> float:
    """How far the picture reaches up and to the right, whichever is less."""
    ends = projection.unproject(np.array([[projection.width - 0.5, projection.height / 2], [projection.width / 2, 0.5]]))
    angle = [math.acos(float(np.clip(ray[2], -1, 1))) for ray in ends]
    return min(a for a in angle if math.isfinite(a))


def _bytes(values: FloatArray) -> ByteArray:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
