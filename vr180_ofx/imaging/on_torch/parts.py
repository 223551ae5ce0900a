"""`imaging.parts` on tensors. Bounds and middles wait for the card, once each; what goes from pixel to pixel is done on the host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging import parts
from vr180_ofx.imaging.either import as_float, beside, host
from vr180_ofx.imaging.parts import Connectivity, Parts
from vr180_ofx.imaging.rect import Rect


def bounds(mask: Tensor) -> Rect:
    """See `imaging.parts.bounds`. Waits for the card, and brings down which rows and which columns have something."""
    return all_bounds([mask])[0]


def all_bounds(masks: Sequence[Tensor]) -> list[Rect]:
    """See `imaging.parts.all_bounds`."""
    lines = [line for mask in masks for line in _lines(mask)]
    found = np.split(host(torch.cat(lines)), np.cumsum([len(line) for line in lines])[:-1])
    return [_bounds(rows, columns) for rows, columns in zip(found[::2], found[1::2], strict=True)]


def _lines(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows and which columns have something."""
    some = mask if mask.dtype == torch.bool else mask != 0
    return some.any(dim=1), some.any(dim=0)


def _bounds(in_rows: BoolArray, in_columns: BoolArray) -> Rect:
    rows, columns = np.flatnonzero(in_rows), np.flatnonzero(in_columns)
    if not len(rows):
        return Rect(0, 0, 0, 0)
    return Rect(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def connected_parts(mask: Tensor, connectivity: Connectivity = 8) -> Parts:
    """See `imaging.parts.connected_parts`. Waits for the card; what is returned is the host's."""
    return parts.connected_parts(host(mask), connectivity)


def labelled(mask: Tensor, connectivity: Connectivity = 8) -> tuple[int, npt.NDArray[np.int32]]:
    """See `imaging.parts.labelled`. Waits for the card; what is returned is the host's."""
    return parts.labelled(host(mask), connectivity)


def centroid(weights: Tensor, least: float = 0.0) -> tuple[float, float] | None:
    """See `imaging.parts.centroid`. Waits for the card, and brings down the sums of rows and of columns."""
    return all_centroids([weights], least)[0]


def all_centroids(weights: Sequence[Tensor], least: float = 0.0) -> list[tuple[float, float] | None]:
    """See `imaging.parts.all_centroids`."""
    lines = [as_float(values).sum(dim=dim) for values in weights for dim in (1, 0)]
    found = np.split(host(torch.cat(lines)).astype(np.float64), np.cumsum([len(line) for line in lines])[:-1])
    return [_centroid(rows, columns, least) for rows, columns in zip(found[::2], found[1::2], strict=True)]


def _centroid(rows: FloatArray, columns: FloatArray, least: float) -> tuple[float, float] | None:
    total = float(rows.sum())
    if total < least or total <= 0:
        return None
    return float(columns @ np.arange(len(columns))) / total, float(rows @ np.arange(len(rows))) / total


def distance_to(mask: Tensor) -> Tensor:
    """See `imaging.parts.distance_to`. On the host: distances go from pixel to pixel, which a card has to do a hundred times over."""
    out: Tensor = beside(parts.distance_to(host(mask)), mask)
    return out


def spread_outwards(values: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """See `imaging.parts.spread_outwards`. On the host, as `distance_to`."""
    made, distance = parts.spread_outwards(host(values), host(known))
    return beside(made, values), beside(distance, values)
