"""`imaging.sample` on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.imaging.either import beside
from vr180_ofx.imaging.on_torch.layout import constant, planes_first, rounded
from vr180_ofx.imaging.opencv import Border, Interpolation

#: A place that is nowhere, in halves of a picture: far outside of it.
NOWHERE = -1e4
_MODE = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def sample(
    values: Tensor,
    places: Any,
    *,
    border: Border = 0.0,
    interpolation: Interpolation = "linear",
    origin: tuple[float, float] | None = None,
    pixel: tuple[float, float] | None = None,
    centre: float = 0.5,
) -> Tensor:
    """See `imaging.sample.sample`; places are interpolated between exactly. places: a tensor, or an array, which is sent there.

    values: may be a batch, too, (n, h, w, c); then places are (n, ..., m, 2), and the result is (n, ..., m, c).
    """
    at = places if isinstance(places, Tensor) else beside(places, values)
    height, width = values.shape[-3:-1] if values.ndim == 4 else values.shape[:2]
    if origin is None and pixel is None:
        # the same for all pictures of a size: kept beside them
        middles = np.array([centre + (width - 1) / 2, centre + (height - 1) / 2], np.float32)
        moved: Tensor = at.to(torch.float32) - constant(middles, at.device)
        moved *= constant(np.array([2 / width, 2 / height], np.float32), at.device)
        return looked_up(values, moved.nan_to_num_(nan=NOWHERE), border, interpolation)
    grid = torch.empty(at.shape, dtype=torch.float32, device=at.device)
    begin, step = origin or (0.0, 0.0), pixel or (1.0, 1.0)
    for axis, size in enumerate((width, height)):
        # from the picture's middle on: near it numbers are exact, and nothing is lost on the way to -1..1
        middle = begin[axis] + step[axis] * (centre + (size - 1) / 2)
        torch.mul(at[..., axis] - middle, 2 / (size * step[axis]), out=grid[..., axis])
    return looked_up(values, grid.nan_to_num_(nan=NOWHERE), border, interpolation)


def looked_up(values: Tensor, grid: Tensor, border: Border, interpolation: Interpolation) -> Tensor:
    """``values`` at a grid, (..., n, 2) without NaN, of -1 to 1 from side to side of the picture (`torch.nn.functional.grid_sample`)."""
    planes = planes_first(values)
    batch = planes.shape[0]
    leading = grid.shape[1:-1] if values.ndim == 4 else grid.shape[:-1]
    flat = grid.reshape(batch, -1, grid.shape[-2], 2)
    padding = "border" if border == "edge" else "zeros"
    if not isinstance(border, str) and border != 0:
        planes, flat, padding = *_framed(planes, flat, border), "border"
    if flat.dtype != planes.dtype:
        flat = flat.to(planes.dtype)
    found = F.grid_sample(planes, flat, mode=_MODE[interpolation], padding_mode=padding, align_corners=False)
    if found.dtype != values.dtype:
        found = rounded(found, values.dtype, beyond=interpolation == "cubic")
    made = found.permute(0, 2, 3, 1)
    if values.ndim == 4:
        return made.reshape(batch, *leading, values.shape[-1])
    return made.reshape(*leading, *values.shape[2:])


def _framed(planes: Tensor, grid: Tensor, border: float | tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """A picture with a frame of one pixel of the border's numbers, which goes on for ever, and the grid that suits it."""
    batch, channels, height, width = planes.shape
    if isinstance(border, tuple):
        numbers = constant(np.array(border[:channels], np.float32), planes.device).to(planes.dtype)
        framed = numbers[None, :, None, None].repeat(batch, 1, height + 2, width + 2)
        framed[:, :, 1:-1, 1:-1] = planes
    else:
        framed = F.pad(planes, (1, 1, 1, 1), value=border)
    return framed, grid * constant(np.array([width / (width + 2), height / (height + 2)], np.float32), grid.device)
