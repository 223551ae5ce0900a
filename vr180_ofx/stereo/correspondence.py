"""Where one eye sees what the other one sees, once the disparity of a person is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import beside, is_tensor, namespace
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.stereo.disparity import Disparity
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.parameters import STEREO, SurfaceParameters
from vr180_ofx.vr180.epipolar import angles, directions
from vr180_ofx.vr180.layout import LEFT, RIGHT


def counterpart(
    pair: StereoPair, rect: Rect, found: Disparity, parameters: SurfaceParameters = STEREO.surface, *, to_left: bool, like: object = None
) -> FloatArray:  # fmt: skip
    """(h, w, 2) float32: where the other eye sees the pixels of ``rect``, in its picture's continuous pixels; NaN outside of it.

    to_left: ``rect`` lies in the right eye, and the other one is the left one. like: see `smooth_map`.
    """
    if is_tensor(like):
        return _looked_up(pair, rect, found, parameters, to_left=to_left, like=like)
    return smooth_map(_across(pair, found, parameters, to_left=to_left), rect, parameters.tolerance)


def extent(
    pair: StereoPair, rect: Rect, found: Disparity, parameters: SurfaceParameters = STEREO.surface, *, to_left: bool
) -> Rect:  # fmt: skip
    """The part of the other eye's picture where it sees ``rect``. to_left: see `counterpart`."""
    ticks = np.linspace(0, 1, parameters.extent_samples)
    grid = np.stack(np.meshgrid(rect.x0 + rect.width * ticks, rect.y0 + rect.height * ticks), axis=-1)
    points = _across(pair, found, parameters, to_left=to_left)(grid)
    return Rect.around(points, 2).clipped(pair.projection.width, pair.projection.height)


def _across(
    pair: StereoPair, found: Disparity, parameters: SurfaceParameters, *, to_left: bool
) -> Callable[[FloatArray], FloatArray]:  # fmt: skip
    """From one eye's points, (..., 2) continuous pixels, to where the other one sees them."""
    window, target = (found.right, found.left) if to_left else (found.left, found.right)
    shift = found.shift.astype(np.float32)
    typical = np.float32(np.median(shift))
    here, there = (pair.level(view) for view in ((RIGHT, LEFT) if to_left else (LEFT, RIGHT)))

    def other(points: FloatArray) -> FloatArray:
        rays = here.unproject(points)
        at = np.nan_to_num(window.points(rays) - 0.5, nan=-1).astype(np.float32)
        columns = at[..., 0].copy()
        if to_left:
            found_columns = columns + sample(shift, at, border="edge", centre=0)
        else:
            # the shift is known for the right eye's pixels: found by going there and back, which the smooth surface lets settle at once
            found_columns = columns - typical
            for _ in range(parameters.rounds):
                at[..., 0] = found_columns
                found_columns = columns - sample(shift, at, border="edge", centre=0)
        lateral = target.lateral + (found_columns + 0.5 - target.width / 2) * target.scale
        return there.project(directions(lateral, angles(rays)[..., 1]))

    return other


def _looked_up(
    pair: StereoPair, rect: Rect, found: Disparity, parameters: SurfaceParameters, *, to_left: bool, like: object
) -> FloatArray:  # fmt: skip
    """As `_across` of all pixels of ``rect``, where ``like`` is: a measured surface is not smooth, and would be looked up on the host at
    every pixel. What is smooth are the ways from an eye to its window, and from the other one's window to that eye.
    """
    window, target = (found.right, found.left) if to_left else (found.left, found.right)
    here, there = (pair.level(view) for view in ((RIGHT, LEFT) if to_left else (LEFT, RIGHT)))
    at = smooth_map(lambda points: window.points(here.unproject(points)) - 0.5, rect, parameters.tolerance, like=like)
    xp = namespace(at)
    columns, rows = (xp.nan_to_num(at[..., axis], nan=-1.0) for axis in (0, 1))
    shift = beside(found.shift.astype(np.float32), like)

    def shift_at(found_columns: FloatArray) -> FloatArray:
        return sample(shift, xp.stack([found_columns, rows], axis=-1), border="edge", centre=0)

    if to_left:
        found_columns = columns + shift_at(columns)
    else:
        # see `_across`
        found_columns = columns - float(np.median(found.shift))
        for _ in range(parameters.rounds):
            found_columns = columns - shift_at(found_columns)
    whole = Rect.of_size(target.width, target.height)
    ways = smooth_map(lambda points: there.project(target.directions(points)), whole, parameters.tolerance, like=like)
    # beyond the windows nobody is
    return sample(ways, xp.stack([found_columns, rows], axis=-1), border="edge", centre=0)
