"""Which part of a picture a grid of places needs, and how much smaller: decided on the host, without waiting for a graphics card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import beside, host, is_tensor
from vr180_ofx.imaging.rect import Rect

#: Every how many pixels of a grid are looked at, for the scale.
_STEP = 8


@dataclass(frozen=True, slots=True)
class GridPlan:
    """rect: the part of the picture that is needed; empty where nothing of it is seen. factor: the power of two to shrink it by.

    grid: the places, of the picture's kind, none of them NaN. inside: which of them lie in the picture; None: all.
    """

    rect: Rect
    factor: int
    grid: FloatArray
    inside: BoolArray | None


def grid_plan(grid: FloatArray, like: object, width: int, height: int, rough: FloatArray | None = None) -> GridPlan:
    """grid: (h, w, 2) continuous pixels of a picture of this size, NaN outside. like: the picture.

    rough: some of the places, (r, r, 2), NumPy's: from the grid's first corner to its last one, in even steps. Where the picture is a
    tensor it spares bringing places down.
    """
    if not is_tensor(like):
        rect, factor, inside = _plan(grid, width, height)
        return GridPlan(rect, factor, grid if inside is None or rect.empty else np.where(inside[..., None], grid, 0), inside)
    if not is_tensor(grid):
        rect, factor, within = _plan(grid, width, height)
        places: Any = beside(grid, like)
    else:
        rect, factor, within = _rough_plan(_some_of(grid) if rough is None else rough, grid.shape, width, height)
        places = grid
    if within is None or rect.empty:
        return GridPlan(rect, factor, places, None)
    x, y = places[..., 0], places[..., 1]
    mask = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return GridPlan(rect, factor, places.where(mask[..., None], 0.0), mask)


def _plan(grid: FloatArray, width: int, height: int) -> tuple[Rect, int, BoolArray | None]:
    """Of NumPy's grids: as `GridPlan`."""
    x, y = grid[..., 0], grid[..., 1]
    x0, x1, y0, y1 = (float(v) for v in (x.min(), x.max(), y.min(), y.max()))  # NaN when any sample is
    inside: BoolArray | None = None
    if not (x0 >= 0 and x1 <= width and y0 >= 0 and y1 <= height):
        inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)  # False for NaN
        if not inside.any():
            return Rect(0, 0, 0, 0), 1, inside
        xs, ys = x[inside], y[inside]
        x0, x1, y0, y1 = (float(v) for v in (xs.min(), xs.max(), ys.min(), ys.max()))
    factor = _factor(grid[::_STEP, ::_STEP], (_STEP, _STEP), (width, height))
    return _aligned(Rect(int(x0), int(y0), int(np.ceil(x1)) + 1, int(np.ceil(y1)) + 1), factor, width, height), factor, inside


def _rough_plan(rough: FloatArray, shape: tuple[int, ...], width: int, height: int) -> tuple[Rect, int, BoolArray | None]:
    """From some of the places of a grid of this shape. inside: which of these lie in the picture, None when all do by far."""
    x, y = rough[..., 0], rough[..., 1]
    steps = tuple((n - 1) / (r - 1) if r > 1 and n > 1 else 1.0 for n, r in zip(shape[:2], rough.shape[:2], strict=True))
    factor = _factor(rough, (steps[0], steps[1]), (width, height))
    # between two of them a smooth map strays from the straight line by less than they are apart
    room = int(np.ceil(2 * factor * max(1.0, *steps)))
    inside = (x >= room) & (x <= width - room) & (y >= room) & (y <= height - room)
    near = (x >= -room) & (x <= width + room) & (y >= -room) & (y <= height + room)
    if not near.any():
        return Rect(0, 0, 0, 0), 1, inside
    return _aligned(Rect.around(rough[near], room), factor, width, height), factor, None if inside.all() else inside


def _some_of(grid: Any) -> FloatArray:
    """Some of a tensor's places, brought down."""
    rows, columns = (_even(n) for n in grid.shape[:2])
    some: FloatArray = host(grid[rows][:, columns])
    return some


def _even(count: int) -> list[int]:
    """Indices from the first to the last one, in steps that are even but for rounding."""
    return [round(v) for v in np.linspace(0, count - 1, max(2, 1 + count // _STEP))]


def _factor(sparse: FloatArray, steps: tuple[float, float], size: tuple[int, int]) -> int:
    """steps: of the rows and columns of ``sparse``, in pixels of the grid. size: (width, height) of the picture: what lies beyond it says
    nothing, as long as anything lies in it.
    """
    inside = ((sparse >= 0) & (sparse <= size)).all(axis=-1)
    scales = []
    for axis in (0, 1):
        step = np.diff(sparse, axis=axis) / steps[axis]
        length = np.hypot(step[..., 0], step[..., 1])
        within = np.take(inside, range(1, inside.shape[axis]), axis) & np.take(inside, range(inside.shape[axis] - 1), axis)
        length = length[within if within.any() else np.isfinite(length)]
        if length.size:
            scales.append(float(np.median(length)))
    # the geometric mean of both directions: near the poles of an equirectangular picture they differ
    scale = float(np.sqrt(np.prod(scales))) if len(scales) == 2 else 1.0
    return 1 << max(0, int(np.floor(np.log2(max(scale, 1e-6)) + 0.4)))


def _aligned(rect: Rect, factor: int, width: int, height: int) -> Rect:
    rect = rect.grown(2 * factor).clipped(width, height)
    return Rect(rect.x0 // factor * factor, rect.y0 // factor * factor, rect.x1, rect.y1)
