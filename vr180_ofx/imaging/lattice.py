"""Smooth maps computed on a lattice and interpolated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import beside, either
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize


def smooth_map(function: Callable[[FloatArray], FloatArray], rect: Rect, tolerance: float = 0.03, *, like: object = None) -> FloatArray:
    """``function`` at the centres of the pixels of ``rect``, (rect.height, rect.width, 2) float32, of the kind of ``like``.

    function: (..., 2) float64 continuous pixels to (..., 2) places; NaN where it has none. Maps are smooth: they are computed on a lattice
    and interpolated, as coarse as keeps the error under ``tolerance`` of a sample step. The lattice is NumPy's; what goes to where the
    pictures are is no more than that.
    """
    x0, y0, width, height = rect.x0, rect.y0, rect.width, rect.height
    for step in (16, 8, 4):
        # the lattice begins half a step outside, where `upsample_lattice` wants it
        xs = x0 + (np.arange(-(-width // step) + 2, dtype=np.float64) - 0.5) * step
        ys = y0 + (np.arange(-(-height // step) + 2, dtype=np.float64) - 0.5) * step
        coarse = function(np.stack(np.meshgrid(xs, ys), axis=-1))
        if _smooth(coarse, step, tolerance):
            return upsample_lattice(beside(coarse.astype(np.float32), like), step, width, height)
    centres = np.meshgrid(x0 + np.arange(width) + 0.5, y0 + np.arange(height) + 0.5)
    whole: FloatArray = beside(function(np.stack(centres, axis=-1)).astype(np.float32), like)
    return whole


def _smooth(coarse: FloatArray, step: int, tolerance: float) -> bool:
    """Whether bilinear interpolation will do: its error is at most the second difference / 8 in each direction."""
    if not np.isfinite(coarse).all():
        return False
    worst = max(float(np.abs(np.diff(coarse, 2, axis=axis)).max(initial=0.0)) for axis in (0, 1))
    typical = float(np.median(np.abs(np.diff(coarse[..., 0], axis=1)))) / step
    return worst / 8 < tolerance * max(1.0, typical)


@either
def upsample_lattice(coarse: FloatArray, step: int, width: int, height: int) -> FloatArray:
    """A lattice's values at every pixel, bilinear: (height, width, 2) float32.

    coarse: (rows, columns, 2), values at pixel corners -step / 2, step / 2, 3 step / 2, ... in both directions.
    """
    # these are the places that `resize` gives the samples of a picture enlarged by ``step``, and it is seven times as fast as a warp
    size = (coarse.shape[1] * step, coarse.shape[0] * step)
    out = resize(coarse.astype(np.float32, copy=False), size, "linear")
    return np.ascontiguousarray(out[step : step + height, step : step + width])
